import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import { ensureTopics, topicsOf } from './kafka/topics.js';
import { untilItWorks } from './kafka/client.js';
import { createLog, nestLogger, type Log } from './log/log.js';
import type { BatchConsumer } from './kafka/batch-consumer.js';
import { ArrayIngestModule } from './pipeline/array-ingest.module.js';
import { IngestModule } from './pipeline/ingest.module.js';
import type { Observed } from './pipeline/observer.js';
import { keptDaysOf } from './settings/kept-days.js';
import type { Settings } from './settings/settings.js';
import { DatabaseUnfitError, prepareDatabase, type Database } from './twin/database.js';
import { DATABASE } from './twin/twin.module.js';

export interface Service {
  /** Where GraphQL, probes and metrics are. */
  readonly url: string;
  /** Ends everything in the order of the data's way. */
  stop(): Promise<void>;
}

/**
 * One process with the roles of its settings. Probes answer at once; database and topics are prepared as soon as MongoDB
 * and Kafka are there, and only then is anything consumed.
 * @param watch sees every step of the pipeline
 * @param signal gives up starting, however long MongoDB or Kafka are waited for
 * @throws DatabaseUnfitError, and what a model that cannot be loaded or a port that is taken throws
 */
export async function startService(settings: Settings, watch?: Observed, signal?: AbortSignal): Promise<Service> {
  const log = createLog(settings.LOG_LEVEL);
  const stopping = new AbortController();
  signal?.addEventListener('abort', () => stopping.abort(signal.reason), { once: true });
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.with(settings, log, watch),
    new FastifyAdapter({ forceCloseConnections: true }),
    { logger: nestLogger(log), abortOnError: false },
  );
  const stop = async () => {
    stopping.abort(new Error('the service stops'));
    await app.close();
  };
  try {
    await app.listen(settings.HTTP_PORT, settings.HTTP_HOST);
    await prepare(app, settings, log, stopping.signal);
    if (settings.ROLES.includes('ingest')) {
      for (const strategy of consumersOf(app, settings)) app.connectMicroservice({ strategy });
      await app.startAllMicroservices();
    }
  } catch (error) {
    await stop();
    throw error;
  }
  const url = await app.getUrl();
  log('info', 'the service is up', { url, roles: settings.ROLES });
  return { url, stop };
}

function consumersOf(app: NestFastifyApplication, { ARRAY_TOPICS }: Settings): BatchConsumer[] {
  const sensor = app.get<BatchConsumer>(IngestModule.consumer, { strict: false });
  const arrays = ARRAY_TOPICS ? app.get<BatchConsumer[]>(ArrayIngestModule.consumers, { strict: false }) : [];
  return [sensor, ...arrays];
}

async function prepare(app: NestFastifyApplication, settings: Settings, log: Log, signal: AbortSignal): Promise<void> {
  const database = settings.ROLES.some((role) => role !== 'bridge')
    ? app.get<Database>(DATABASE, { strict: false })
    : null;
  if (database) await waitForDatabase(database, settings, log, signal);
  if (settings.ROLES.every((role) => role === 'api')) return;
  const { TOPIC_PARTITIONS: partitions, TOPIC_REPLICATION: replication, TOPIC_RETENTION: retention } = settings;
  const names = {
    sensor: settings.SENSOR_TOPIC,
    predictions: settings.PREDICTIONS_TOPIC,
    anomalies: settings.ANOMALIES_TOPIC,
    modelUpdates: settings.MODEL_UPDATES_TOPIC,
    deadLetters: settings.DEAD_LETTER_TOPIC,
    normalised: settings.NORMALISED_TOPIC,
    arrays: (settings.ARRAY_TOPICS ?? []).map(({ topic }) => topic),
  };
  const kafka = { brokers: settings.KAFKA_BROKERS, clientId: settings.KAFKA_CLIENT_ID, log };
  await ensureTopics(kafka, topicsOf(names, { partitions, replication, retention }), signal);
}

async function waitForDatabase(database: Database, settings: Settings, log: Log, signal: AbortSignal): Promise<void> {
  let told = false;
  const attempt = () =>
    prepareDatabase(database, settings.HISTORY_RETENTION, keptDaysOf(settings)).catch((error: unknown) => {
      if (error instanceof DatabaseUnfitError) return error;
      throw error;
    });
  const fault = await untilItWorks(
    attempt,
    (error) => {
      if (!told) log('warn', 'waiting for MongoDB', { error: error instanceof Error ? error.message : String(error) });
      told = true;
    },
    signal,
  );
  if (fault) throw fault;
}
