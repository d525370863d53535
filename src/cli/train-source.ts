import { randomUUID } from 'node:crypto';
import { InvalidArgumentError } from 'commander';
import { createDecoder } from '../decode/decode.js';
import type { RowOrder } from '../score/row-sample.js';
import { decoderOptions } from '../settings/decoder-options.js';
import { readSettings } from '../settings/settings.js';
import { trainingCars } from '../simulator/training-cars.js';
import type { Reading } from '../telemetry/reading.js';
import { historyReadings, type HistoryProgress } from '../training/history-readings.js';
import { kafkaReadings } from '../training/kafka-readings.js';
import { openDatabase } from '../twin/database.js';
import { fileReadings } from './file-readings.js';
import { ReadingRate } from './reading-rate.js';

export interface SourceFlags {
  readonly seed: number;
  readonly cars: number;
  /** a car */
  readonly messages: number;
  readonly fromKafka?: string;
  /** ms since 1970 */
  readonly since?: number;
  readonly fromOffsets?: ReadonlyMap<number, number>;
  readonly take?: number;
  readonly fromFile?: string;
  readonly fromHistory?: boolean;
  /** Of the history; ms since 1970 */
  readonly from?: number;
  readonly to?: number;
}

export interface TrainingSource {
  readonly readings: Iterable<Reading> | AsyncIterable<Reading>;
  readonly order: RowOrder;
  /** For people. */
  readonly what: string;
  /** The arguments that name it. */
  readonly args: string;
}

/** @throws Error with one message for the user */
export function sourceOf(flags: SourceFlags, signal: AbortSignal): TrainingSource {
  const { fromKafka, fromFile, fromHistory, cars, messages, seed } = flags;
  if ([fromKafka, fromFile, fromHistory].filter((source) => source !== undefined).length > 1)
    throw new Error('one of --from-kafka, --from-file and --from-history, not more');
  checkWindow(flags);
  if (fromKafka !== undefined) return kafkaSource(fromKafka, flags, signal);
  if (fromHistory) return historySource(flags, signal);
  if (fromFile !== undefined) {
    const readings = fileReadings(fromFile, signal);
    return { readings, order: 'drawn', what: `the file ${fromFile}`, args: `--from-file ${fromFile}` };
  }
  return {
    readings: trainingCars({ seed, cars, messages }),
    order: 'arrival',
    what: `${cars} simulated cars, ${messages} messages each`,
    args: `--cars ${cars} --messages ${messages}`,
  };
}

function checkWindow({ fromKafka, fromHistory, since, fromOffsets, take, from, to }: SourceFlags): void {
  if (fromKafka === undefined && (fromOffsets !== undefined || take !== undefined))
    throw new Error('--from-offsets and --take go with --from-kafka');
  if (fromKafka === undefined && !fromHistory && since !== undefined)
    throw new Error('--since goes with --from-kafka or --from-history');
  if (!fromHistory && (from !== undefined || to !== undefined))
    throw new Error('--from and --to go with --from-history');
  if (since !== undefined && from !== undefined) throw new Error('either --since or --from, not both');
  if ((from ?? since ?? -Infinity) >= (to ?? Infinity)) throw new Error('the window ends before it begins: see --to');
}

/** Of the history without a beginning: before any reading. */
const BEGINNING = 0;

function historySource({ from, since, to }: SourceFlags, signal: AbortSignal): TrainingSource {
  const window = { from: from ?? since ?? BEGINNING, to: to ?? Date.now() };
  const rate = new ReadingRate('readings');
  const onProgress = (progress: HistoryProgress) => rate.show(progress);
  async function* readings(): AsyncGenerator<Reading> {
    const settings = readSettings(process.env);
    const database = openDatabase(settings.MONGODB_URI, settings.MONGODB_DATABASE, 'fleet-twin-train');
    try {
      yield* rate.summedUp(historyReadings(database, window, { onProgress, signal }));
    } finally {
      await database.client.close();
    }
  }
  const [first, end] = [new Date(window.from).toISOString(), new Date(window.to).toISOString()];
  return {
    readings: readings(),
    order: 'drawn',
    what: `the history from ${first} to ${end}`,
    args: `--from-history --from ${first} --to ${end}`,
  };
}

function kafkaSource(topic: string, flags: SourceFlags, signal: AbortSignal): TrainingSource {
  const settings = readSettings(process.env);
  const { since = null, fromOffsets: offsets = new Map<number, number>(), take = Infinity } = flags;
  const groupId = `fleet-twin-train-${randomUUID()}`;
  const rate = new ReadingRate('records');
  const readings = kafkaReadings(
    { topic, since, offsets, take, groupId },
    {
      kafka: { brokers: settings.KAFKA_BROKERS, clientId: settings.KAFKA_CLIENT_ID, log: () => undefined },
      decoder: createDecoder(decoderOptions(settings)),
      onProgress: (progress) => rate.show(progress),
      signal,
    },
  );
  const args = [
    `--from-kafka ${topic}`,
    ...(since === null ? [] : [`--since ${new Date(since).toISOString()}`]),
    ...(offsets.size === 0 ? [] : [`--from-offsets ${[...offsets].map((one) => one.join(':')).join(',')}`]),
    ...(take === Infinity ? [] : [`--take ${take}`]),
  ];
  return { readings: rate.summedUp(readings), order: 'drawn', what: `the Kafka topic ${topic}`, args: args.join(' ') };
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** @returns ms since 1970 */
export function sinceOf(text: string, now: number): number {
  const [, amount, unit] = /^(\d+)([smhd])$/.exec(text) ?? [];
  if (amount !== undefined && unit !== undefined) return now - Number(amount) * (UNITS[unit] ?? NaN);
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(at)) throw new InvalidArgumentError('It is neither ISO 8601 nor like 90m, 2h or 7d.');
  return at;
}

export function offsetsOf(text: string): ReadonlyMap<number, number> {
  if (!/^\d+:\d+(,\d+:\d+)*$/.test(text)) throw new InvalidArgumentError('It is not like 0:1200,1:900.');
  return new Map(text.split(',').map((one) => one.split(':').map(Number) as [number, number]));
}

/** @returns ms since 1970 */
export function instantOf(text: string): number {
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(at)) throw new InvalidArgumentError('It is not an ISO 8601 instant.');
  return at;
}
