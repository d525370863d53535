import { randomUUID } from 'node:crypto';
import { InvalidArgumentError } from 'commander';
import { createDecoder } from '../decode/decode.js';
import { decoderOptions } from '../pipeline/ingest.module.js';
import type { RowOrder } from '../score/row-sample.js';
import { readSettings } from '../settings/settings.js';
import { trainingCars } from '../simulator/training-cars.js';
import type { Reading } from '../telemetry/reading.js';
import { kafkaReadings } from '../training/kafka-readings.js';
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
  const { fromKafka, fromFile, cars, messages, seed, since, fromOffsets, take } = flags;
  if (fromKafka !== undefined && fromFile !== undefined)
    throw new Error('either --from-kafka or --from-file, not both');
  if (fromKafka !== undefined) return kafkaSource(fromKafka, flags, signal);
  if (since !== undefined || fromOffsets !== undefined || take !== undefined)
    throw new Error('--since, --from-offsets and --take go with --from-kafka');
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
