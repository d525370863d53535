import {
  Controller,
  Inject,
  Module,
  type DynamicModule,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type Type,
} from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { HealthChecks } from '../health/health-checks.js';
import { BatchConsumer } from '../kafka/batch-consumer.js';
import { DeadLetters } from '../kafka/dead-letters.js';
import { Producer } from '../kafka/producer.js';
import type { BatchOutcome, RecordBatch } from '../kafka/record-batch.js';
import type { Log } from '../log/log.js';
import { METRICS } from '../metrics/metrics.token.js';
import type { Metrics } from '../metrics/metrics.js';
import { loadArrayScorer, type LoadedArrayScorer } from '../score/array-scorer.js';
import { keptFor } from '../settings/kept-days.js';
import type { Settings } from '../settings/settings.js';
import type { Database } from '../twin/database.js';
import { DATABASE } from '../twin/twin.module.js';
import { ArrayIngest } from './array-ingest.js';
import { consumerSettings, kafkaOptions } from './ingest.module.js';
import { metricsObserved } from './metrics-observed.js';
import { Observer, type Observed } from './observer.js';
import { ScoringAlarm } from './scoring-alarm.js';

/** One array topic: a model, a consumer group and a transport of its own, so that topics never wait for each other. */
interface ArrayTopic {
  readonly topic: string;
  readonly consumer: BatchConsumer;
  readonly ingest: ArrayIngest;
  readonly scorer: LoadedArrayScorer;
}

interface ArrayParts {
  readonly topics: readonly ArrayTopic[];
  readonly producer: Producer;
  readonly alarm: ScoringAlarm;
}

const PARTS = Symbol('ArrayParts');
const CONSUMERS = Symbol('ArrayConsumers');

/** The ingest role's other topics: arrays, each scored by the model that the settings name for its topic. */
@Module({})
export class ArrayIngestModule implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    @Inject(PARTS) private readonly parts: ArrayParts,
    @Inject(HealthChecks) private readonly health: HealthChecks,
  ) {}

  /** @param watch sees every step beside the metrics */
  static with(settings: Settings, log: Log, watch?: Observed): DynamicModule {
    const transports = new Map((settings.ARRAY_TOPICS ?? []).map(({ topic }) => [topic, Symbol(topic)]));
    const parts = {
      provide: PARTS,
      inject: [DATABASE, METRICS],
      useFactory: (database: Database, metrics: Metrics) =>
        makeParts(settings, log, { database, metrics, watch, transports }),
    };
    const consumers = {
      provide: CONSUMERS,
      inject: [PARTS],
      useFactory: ({ topics }: ArrayParts) => topics.map(({ consumer }) => consumer),
    };
    return {
      module: ArrayIngestModule,
      controllers: [...transports].map(([topic, transport]) => arrayBatches(topic, transport)),
      providers: [parts, consumers],
      exports: [CONSUMERS],
    };
  }

  /** The transports that feed this module; main connects them to the application. */
  static readonly consumers = CONSUMERS;

  onApplicationBootstrap(): void {
    this.health.add('array-scoring', () => Promise.resolve(this.parts.alarm.check()), 'watched');
    for (const { topic, consumer } of this.parts.topics)
      this.health.add(`kafka-consumer-${topic}`, () =>
        Promise.resolve(consumer.joined ? 'ok' : 'not in the consumer group'),
      );
  }

  /** Nest has closed the consumers by now. */
  async onApplicationShutdown(): Promise<void> {
    await this.parts.producer.close();
    for (const { scorer } of this.parts.topics) await scorer.close();
  }
}

function arrayBatches(topic: string, transport: symbol): Type {
  @Controller()
  class ArrayBatches {
    private readonly ingest: ArrayIngest | undefined;

    constructor(@Inject(PARTS) { topics }: ArrayParts) {
      this.ingest = topics.find((one) => one.topic === topic)?.ingest;
    }

    @MessagePattern(topic, transport)
    onBatch(@Payload() batch: RecordBatch): Promise<BatchOutcome> {
      if (!this.ingest) throw new TypeError(`no model for topic ${topic}`);
      return this.ingest.handle(batch);
    }
  }
  return ArrayBatches;
}

interface Surroundings {
  readonly database: Database;
  readonly metrics: Metrics;
  readonly watch: Observed | undefined;
  readonly transports: ReadonlyMap<string, symbol>;
}

async function makeParts(settings: Settings, log: Log, surroundings: Surroundings): Promise<ArrayParts> {
  const { database, metrics, watch, transports } = surroundings;
  const kafka = kafkaOptions(settings, log);
  const producer = new Producer(kafka);
  const alarm = new ScoringAlarm(log, Date.now);
  const stages = {
    maxBody: settings.MAX_BODY,
    database,
    deadLetters: new DeadLetters(producer, settings.DEAD_LETTER_TOPIC),
    outlet: producer,
    predictionsTopic: settings.PREDICTIONS_TOPIC,
    retention: keptFor(settings.HISTORY_RETENTION),
    clock: Date.now,
    observer: new Observer(watch ? [metricsObserved(metrics), watch] : [metricsObserved(metrics)]),
    counted: metrics.arrays.bind(metrics),
    rejected: metrics.arrayRejected.bind(metrics),
    alarm,
    log,
  };
  const topics: ArrayTopic[] = [];
  for (const { topic, dir } of settings.ARRAY_TOPICS ?? []) {
    const how = { backend: settings.TF_BACKEND, evaluator: settings.SCORE_EVALUATOR, log };
    const scorer = await loadArrayScorer({ dir, ...how });
    const group = { ...consumerSettings(settings), groupId: `${settings.KAFKA_GROUP_ID}-${topic}` };
    const consumer = new BatchConsumer(kafka, group, transports.get(topic));
    topics.push({ topic, scorer, consumer, ingest: new ArrayIngest({ ...stages, scorer }) });
  }
  return { topics, producer, alarm };
}
