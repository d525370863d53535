import { randomUUID } from 'node:crypto';
import type { OutRecord } from '../src/kafka/out-record.js';
import type { DeadLetter } from '../src/kafka/dead-letters.js';
import type { LogBounds } from '../src/kafka/log-offsets.js';
import type { SourceRecord } from '../src/kafka/record-batch.js';
import { Observer, type Step } from '../src/pipeline/observer.js';
import { PartitionWriter } from '../src/pipeline/partition-writer.js';
import type { Stages } from '../src/pipeline/pipeline.js';
import { Publisher } from '../src/pipeline/publish.js';
import type { Workshop } from '../src/pipeline/workshop.js';
import { onlyScorer, type Scorer } from '../src/telemetry/score.js';
import { openDatabase, prepareDatabase, type Database } from '../src/twin/database.js';
import { NOON, aScore } from './builders/sensor.js';
import { readingOfWire } from './builders/wire.js';

export const TOPIC = 'sensor-data';
const nothing = (): void => undefined;
const UNWATCHED = { step: nothing, applied: nothing, lag: nothing, lost: nothing, released: nothing };
export const RULES = { window: 5, open: 3, clear: 3, hysteresis: 0.9, major: 2, critical: 5, downgradeAfter: 60_000 };

/** A partition's log as Kafka would keep it: it can be cut at the front and made anew. */
export class TestLog {
  records: SourceRecord[] = [];
  low = 0;
  clusterId = 'cluster-1';

  get high(): number {
    return (this.records.at(-1)?.offset ?? this.low - 1) + 1;
  }

  bounds(): LogBounds {
    return { low: this.low, high: this.high, clusterId: this.clusterId };
  }

  /** What a fetch from `offset` brings; out of range starts at the front, as kafkajs does. */
  fetch(offset: number, most: number): SourceRecord[] {
    const from = offset < this.low || offset > this.high ? this.low : offset;
    return this.records.filter((record) => record.offset >= from && record.offset >= this.low).slice(0, most);
  }
}

/** Ratio 3 above 40 m/s, blamed on a tire; a speed of 666 is more than the model can bear. */
export const speedScorer: Scorer = {
  model: 'test@1',
  score: (batch) =>
    Promise.resolve(
      batch.map(({ reading, memory }) => {
        const speed = reading.signals.speed ?? 0;
        if (speed === 666) throw new TypeError('the model cannot bear this');
        const seen = (memory?.state[0] ?? 0) + 1;
        return { kind: 'scored', score: aScore(speed > 40 ? 3 : 0.1), memory: { features: 'test', state: [seen] } };
      }),
    ),
};

export interface Rig {
  readonly database: Database;
  readonly published: OutRecord[];
  readonly letters: DeadLetter[];
  readonly lines: string[];
  close(): Promise<void>;
  process(overrides?: Partial<Stages> & { onStep?: (step: Step) => void; holder?: string }): TestProcess;
}

/** One ingest process: its writers, and the loop that Kafka's client would run. */
export class TestProcess {
  readonly #stop = new AbortController();
  generation = 1;

  constructor(
    readonly workshop: Workshop,
    readonly writer: PartitionWriter,
    private readonly log: TestLog,
  ) {}

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  stop(): void {
    this.#stop.abort(new Error('the test stops this process'));
  }

  /** Fetches and handles until the log's end. @param from where Kafka's client believes to be */
  async drain(from = 0, most = 1_000): Promise<void> {
    let offset = from;
    while (offset < this.log.high && !this.signal.aborted) offset = await this.step(offset, most);
  }

  /** One fetch from `offset`; where to go on. */
  async step(offset: number, most = 1_000): Promise<number> {
    const records = this.log.fetch(offset, most);
    const { topic, partition } = this.writer;
    const batch = { topic, partition, records, highWatermark: this.log.high };
    const outcome = await this.writer.handle({ ...batch, generation: this.generation, signal: this.signal });
    if (outcome.kind === 'abandoned') return Number.POSITIVE_INFINITY;
    return outcome.kind === 'applied' ? outcome.next : outcome.offset;
  }
}

/** The ingest side on a real database, with Kafka's ends held by the test. */
export async function ingestRig(uri: string, log: TestLog, partition = 0): Promise<Rig> {
  const database = openDatabase(uri, `contract-${randomUUID().slice(0, 13)}`, 'contract');
  await prepareDatabase(database, 0);
  const close = async () => {
    await database.db.dropDatabase();
    await database.client.close();
  };
  return { ...rigOn(database, log, partition), close };
}

/** The same on a database that is there and stays. */
export function rigOn(database: Database, log: TestLog, partition = 0): Omit<Rig, 'close'> {
  const published: OutRecord[] = [];
  const letters: DeadLetter[] = [];
  const lines: string[] = [];
  const outlet = { send: (records: readonly OutRecord[]) => Promise.resolve(void published.push(...records)) };
  const topics = { predictions: 'model-predictions', anomalies: 'car-anomalies' };
  const make: Rig['process'] = ({ onStep, holder = 'test', ...overrides } = {}) => {
    const stages: Stages = {
      decode: (records) => Promise.resolve(records.map(readingOfWire)),
      scorers: onlyScorer(speedScorer),
      database,
      deadLetters: { send: (more) => Promise.resolve(void letters.push(...more)) },
      rules: RULES,
      retention: null,
      clock: () => NOON,
      observer: new Observer([{ ...UNWATCHED, step: (step) => onStep?.(step) }]),
      ...overrides,
    };
    const workshop: Workshop = {
      stages,
      publisher: new Publisher(outlet, topics, database),
      logBounds: () => Promise.resolve(log.bounds()),
      holder,
      batchRecords: 500,
      cachedCars: 10_000,
      log: (level, message) => void lines.push(`${level} ${message}`),
    };
    return new TestProcess(workshop, new PartitionWriter(TOPIC, partition, workshop), log);
  };
  return { database, published, letters, lines, process: make };
}
