import type { Document } from 'mongodb';
import { finite } from '../telemetry/finite.js';
import type { SignalName } from '../telemetry/signals.js';

/** Buckets of one answer. */
export const MOST_BUCKETS = 10_000;

/** What can be asked of a signal in a bucket. The first four lie in rollups, too. */
export const FIGURES = ['MIN', 'MAX', 'MEAN', 'COUNT', 'LAST', 'RATE', 'PERCENTILES'] as const;
export type Figure = (typeof FIGURES)[number];

/**
 * Figures of one signal in one bucket, in the signal's own unit; null where they were not asked for, there is no value, or the
 * values are too large for them.
 */
export interface SignalBucket {
  readonly signal: SignalName;
  readonly count: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  readonly last: number | null;
  /** Change from the first to the last value, a second. */
  readonly rate: number | null;
  /** In the order in which they were asked for. */
  readonly percentiles: readonly (number | null)[] | null;
}

export interface Bucket {
  /** ms; aligned to whole steps since 1970, UTC */
  readonly start: number;
  readonly readings: number;
  readonly signals: readonly SignalBucket[];
}

export interface BucketQuery {
  readonly car: string;
  readonly signals: readonly SignalName[];
  readonly from: Date;
  /** Not included */
  readonly to: Date;
  /** ms */
  readonly step: number;
  readonly figures: ReadonlySet<Figure>;
  /** 0..1 */
  readonly percentiles: readonly number[];
}

/** The bucket that a reading lies in, ms. */
const BUCKET = (step: number): Document => {
  const at = { $toLong: '$at' };
  return { $subtract: [at, { $mod: [at, step] }] };
};

/** A value with its time, to find the first and the last value that there is; nothing where the signal is null. */
const TIMED = (signal: SignalName): Document => ({
  $cond: [{ $gt: [`$signals.${signal}`, null] }, { at: '$at', value: `$signals.${signal}` }, null],
});

/**
 * A car's readings in buckets of equal length. An index range (`car_at`) is read once; nothing but the buckets leaves the
 * database.
 */
export const BUCKETS = ({ car, signals, from, to, step, figures, percentiles }: BucketQuery): Document[] => {
  const accumulators: Record<string, Document> = {};
  signals.forEach((signal, n) => {
    const value = `$signals.${signal}`;
    if (figures.has('COUNT')) accumulators[`count${n}`] = { $sum: { $cond: [{ $gt: [value, null] }, 1, 0] } };
    if (figures.has('MIN')) accumulators[`min${n}`] = { $min: value };
    if (figures.has('MAX')) accumulators[`max${n}`] = { $max: value };
    if (figures.has('MEAN')) accumulators[`mean${n}`] = { $avg: value };
    if (figures.has('LAST') || figures.has('RATE')) accumulators[`last${n}`] = { $max: TIMED(signal) };
    if (figures.has('RATE')) accumulators[`first${n}`] = { $min: TIMED(signal) };
    // The server refuses an empty list.
    if (figures.has('PERCENTILES') && percentiles.length > 0)
      accumulators[`percentiles${n}`] = { $percentile: { input: value, p: [...percentiles], method: 'approximate' } };
  });
  return [
    { $match: { car, at: { $gte: from, $lt: to } } },
    { $group: { _id: BUCKET(step), readings: { $sum: 1 }, ...accumulators } },
    { $sort: { _id: 1 } },
  ];
};

interface Timed {
  readonly at: Date;
  readonly value: number;
}

export type BucketRow = Readonly<Record<string, unknown>> & { readonly _id: number; readonly readings: number };

export function bucketOf(row: BucketRow, { signals, figures }: BucketQuery): Bucket {
  const number = (name: string) => finite(row[name]);
  return {
    start: row._id,
    readings: row.readings,
    signals: signals.map((signal, n) => {
      const [first, last] = [row[`first${n}`], row[`last${n}`]] as [Timed | null | undefined, Timed | null | undefined];
      return {
        signal,
        count: number(`count${n}`),
        min: number(`min${n}`),
        max: number(`max${n}`),
        mean: number(`mean${n}`),
        last: figures.has('LAST') ? (last?.value ?? null) : null,
        rate: first && last ? rateOf(first, last) : null,
        percentiles: figures.has('PERCENTILES') ? percentilesIn(row, n) : null,
      };
    }),
  };
}

function percentilesIn(row: BucketRow, n: number): (number | null)[] {
  return ((row[`percentiles${n}`] ?? []) as unknown[]).map(finite);
}

function rateOf(first: Timed, last: Timed): number | null {
  const seconds = (last.at.getTime() - first.at.getTime()) / 1_000;
  return seconds > 0 ? finite((last.value - first.value) / seconds) : null;
}
