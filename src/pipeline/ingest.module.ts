import { hostname } from 'node:os';
import {
  Controller,
  Inject,
  Module,
  type BeforeApplicationShutdown,
  type DynamicModule,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type Type,
} from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { canonicalEncoder } from '../decode/canonical-avro.js';
import { createDecoder } from '../decode/decode.js';
import { HealthChecks } from '../health/health-checks.js';
import { BatchConsumer, type ConsumerSettings } from '../kafka/batch-consumer.js';
import type { KafkaOptions } from '../kafka/client.js';
import { DeadLetters } from '../kafka/dead-letters.js';
import { LogOffsets } from '../kafka/log-offsets.js';
import { partitionOf } from '../kafka/partition-of.js';
import { Producer } from '../kafka/producer.js';
import type { BatchOutcome, RecordBatch, SourceRecord } from '../kafka/record-batch.js';
import type { Log } from '../log/log.js';
import { METRICS } from '../metrics/metrics.token.js';
import type { Metrics } from '../metrics/metrics.js';
import type { ModelsInUse } from '../registry/models-in-use.js';
import { MODELS_IN_USE, RegistryModule } from '../registry/registry.module.js';
import { decoderOptions } from '../settings/decoder-options.js';
import { rulesOf } from '../settings/episode-rules.js';
import { keptFor } from '../settings/kept-days.js';
import type { Settings } from '../settings/settings.js';
import type { Database } from '../twin/database.js';
import { DATABASE } from '../twin/twin.module.js';
import { Ingest } from './ingest.js';
import { metricsObserved } from './metrics-observed.js';
import { normaliseNothing, normaliser, type Normalise } from './normalise.js';
import { Observer, type Observed } from './observer.js';
import { Publisher } from './publish.js';
import { ScoringAlarm } from './scoring-alarm.js';

/** Everything of the ingest role that has to be closed. */
interface IngestParts {
  readonly ingest: Ingest;
  readonly producer: Producer;
  readonly offsets: LogOffsets;
  readonly models: ModelsInUse;
}

const ALARM = Symbol('ScoringAlarm');

const PARTS = Symbol('IngestParts');
const CONSUMER = Symbol('BatchConsumer');
/** Names the sensor topic's transport: array topics have others. */
const SENSOR_BATCHES = Symbol('sensor batches');

/** ms between two rounds of the work between batches. */
const BETWEEN_BATCHES = 10_000;
/** ms between two looks for what people did with episodes. */
const TELL_SOON = 1_000;

/** The ingest role: Kafka's batches become state. */
@Module({})
export class IngestModule implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  constructor(
    @Inject(PARTS) private readonly parts: IngestParts,
    @Inject(CONSUMER) private readonly consumer: BatchConsumer,
    @Inject(HealthChecks) private readonly health: HealthChecks,
    @Inject(ALARM) private readonly alarm: ScoringAlarm,
  ) {}

  /** @param watch sees every step beside the metrics */
  static with(settings: Settings, log: Log, watch?: Observed): DynamicModule {
    const parts = {
      provide: PARTS,
      inject: [DATABASE, METRICS, ALARM, MODELS_IN_USE],
      useFactory: (database: Database, metrics: Metrics, alarm: ScoringAlarm, models: ModelsInUse) =>
        makeParts(settings, log, database, models, observerOf(metrics, alarm, watch)),
    };
    const consumer = { provide: CONSUMER, useFactory: () => makeConsumer(settings, log) };
    const alarm = { provide: ALARM, useFactory: () => new ScoringAlarm(log, Date.now) };
    const ingest = { provide: Ingest, inject: [PARTS], useFactory: (made: IngestParts) => made.ingest };
    return {
      module: IngestModule,
      imports: [RegistryModule.with(settings, log)],
      controllers: [sensorBatches(settings.SENSOR_TOPIC)],
      providers: [alarm, parts, consumer, ingest],
      exports: [CONSUMER],
    };
  }

  /** The transport that feeds this module; main connects it to the application. */
  static readonly consumer = CONSUMER;

  onApplicationBootstrap(): void {
    const { ingest } = this.parts;
    this.consumer.whenAssigned((topic, partitions) => ingest.assigned(topic, partitions));
    this.health.add('kafka-consumer', () => Promise.resolve(this.consumer.joined ? 'ok' : 'not in the consumer group'));
    this.health.add('scoring', () => Promise.resolve(this.alarm.check()), 'watched');
    ingest.start(BETWEEN_BATCHES, TELL_SOON);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.parts.ingest.stop();
  }

  /** Nest has closed the consumer by now. */
  async onApplicationShutdown(): Promise<void> {
    const { producer, offsets, models } = this.parts;
    await models.close();
    await producer.close();
    await offsets.close();
  }
}

/** The handler of the sensor topic, whose name comes from the settings. */
function sensorBatches(topic: string): Type {
  @Controller()
  class SensorBatches {
    constructor(@Inject(Ingest) private readonly ingest: Ingest) {}

    @MessagePattern(topic, SENSOR_BATCHES)
    onBatch(@Payload() batch: RecordBatch): Promise<BatchOutcome> {
      return this.ingest.handle(batch);
    }
  }
  return SensorBatches;
}

function makeParts(
  settings: Settings,
  log: Log,
  database: Database,
  models: ModelsInUse,
  observer: Observer,
): IngestParts {
  const kafka = kafkaOptions(settings, log);
  const decoder = createDecoder(decoderOptions(settings));
  const producer = new Producer(kafka);
  const offsets = new LogOffsets(kafka);
  const topics = { predictions: settings.PREDICTIONS_TOPIC, anomalies: settings.ANOMALIES_TOPIC };
  const workshop = {
    stages: {
      decode: (records: readonly SourceRecord[]) => decoder.decode(records),
      scorers: models,
      database,
      deadLetters: new DeadLetters(producer, settings.DEAD_LETTER_TOPIC),
      rules: rulesOf(settings),
      retention: keptFor(settings.HISTORY_RETENTION),
      clock: Date.now,
      observer,
    },
    publisher: new Publisher(producer, topics, database, normaliseOf(settings)),
    logBounds: (topic: string, partition: number) => offsets.bounds(topic, partition),
    holder: `${hostname()}/${process.pid}`,
    batchRecords: settings.BATCH_RECORDS,
    cachedCars: Math.ceil(settings.TWIN_CACHE / settings.TOPIC_PARTITIONS),
    log,
  };
  const partitionOfCar = async (car: string) => partitionOf(car, await offsets.partitions(settings.SENSOR_TOPIC));
  const noDataAfter = settings.EPISODE_NO_DATA === 0 ? null : settings.EPISODE_NO_DATA * 1_000;
  return { ingest: new Ingest(workshop, partitionOfCar, noDataAfter), producer, offsets, models };
}

function makeConsumer(settings: Settings, log: Log): BatchConsumer {
  return new BatchConsumer(kafkaOptions(settings, log), consumerSettings(settings), SENSOR_BATCHES);
}

export function consumerSettings(settings: Settings): ConsumerSettings {
  return {
    groupId: settings.KAFKA_GROUP_ID,
    sessionTimeout: settings.KAFKA_SESSION_TIMEOUT,
    concurrency: settings.KAFKA_CONCURRENT_PARTITIONS,
    fetchBytes: settings.KAFKA_FETCH_BYTES,
    fetchWait: settings.KAFKA_FETCH_WAIT,
  };
}

export function kafkaOptions(settings: Settings, log: Log): KafkaOptions {
  return { brokers: settings.KAFKA_BROKERS, clientId: settings.KAFKA_CLIENT_ID, log };
}

function normaliseOf({ NORMALISED_TOPIC: topic, SCHEMA_REGISTRY_URL: registryUrl }: Settings): Normalise {
  return topic === undefined ? normaliseNothing : normaliser(topic, canonicalEncoder({ topic, registryUrl }));
}

function observerOf(metrics: Metrics, alarm: ScoringAlarm, watch: Observed | undefined): Observer {
  const watchers = [metricsObserved(metrics), alarm];
  return new Observer(watch ? [...watchers, watch] : watchers);
}
