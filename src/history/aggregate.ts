import { finite } from '../telemetry/finite.js';
import type { Collections } from '../twin/collections.js';
import type { Rollups } from '../rollup/rollups.js';
import { STEPS, windowStart, windowsBetween, type Step } from '../telemetry/window.js';
import { type Bucket, type BucketQuery, type BucketRow, BUCKETS, bucketOf, type Figure } from './buckets.js';

/** Windows that are read for one answer: more than two years of hours. */
export const MOST_WINDOWS = 20_000;

/** What an answer is made from: the readings, or rollups of a length. */
export type Source = 'RAW' | Step;

export interface Aggregate {
  readonly source: Source;
  /** Those with readings, rising. */
  readonly buckets: readonly Bucket[];
}

/** An answer would have to be made from more windows than it may; the message says how many. */
export class TooManyWindows extends Error {
  override readonly name = 'TooManyWindows';
}

/** From the oldest to the newest reading of the car, both included: no window outside is read. */
export interface Seen {
  readonly first: Date;
  readonly last: Date;
}

const IN_ROLLUPS: ReadonlySet<Figure> = new Set(['MIN', 'MAX', 'MEAN', 'COUNT']);

/** Windows whose rollups make up the buckets exactly; null where there are none such. */
export function rollupStep({ from, to, step, figures }: Omit<BucketQuery, 'car' | 'signals'>): Step | null {
  if (![...figures].every((figure) => IN_ROLLUPS.has(figure))) return null;
  const fits = (window: Step) =>
    [step, from.getTime(), to.getTime()].every((instant) => instant % STEPS[window] === 0) ? window : null;
  return fits('HOUR') ?? fits('FIVE_MINUTES');
}

/**
 * The figures of a car's signals in buckets: from rollups where those hold all that is asked for, from the readings
 * otherwise. Both give the same.
 * @throws TooManyWindows, TooManyReadings
 */
export async function aggregate(
  { readings }: Pick<Collections, 'readings'>,
  rollups: Rollups,
  query: BucketQuery,
  seen: Seen,
  maxTimeMS: number,
): Promise<Aggregate> {
  const window = rollupStep(query);
  if (window)
    return { source: window, buckets: await fromRollups(rollups, query, readStarts(query, seen, window), window) };
  const rows = await readings.aggregate<BucketRow>(BUCKETS(query), { maxTimeMS, allowDiskUse: false }).toArray();
  return { source: 'RAW', buckets: rows.map((row) => bucketOf(row, query)) };
}

/** The windows of the query that the car can have sent something in. @throws TooManyWindows */
function readStarts({ from, to }: BucketQuery, { first, last }: Seen, window: Step): number[] {
  const begin = Math.max(from.getTime(), windowStart(first.getTime(), window));
  const end = Math.min(to.getTime(), windowStart(last.getTime(), window) + STEPS[window]);
  const count = Math.ceil((end - begin) / STEPS[window]);
  if (count > MOST_WINDOWS)
    throw new TooManyWindows(`That would take ${count} windows of rollups; the limit is ${MOST_WINDOWS}`);
  return windowsBetween(begin, end, window);
}

async function fromRollups(
  rollups: Rollups,
  { car, signals, step, figures }: BucketQuery,
  starts: readonly number[],
  window: Step,
): Promise<Bucket[]> {
  const parts = new Map<number, Awaited<ReturnType<Rollups['read']>>>();
  for (const rollup of await rollups.read(window, starts, car)) {
    const start = rollup.start - (rollup.start % step);
    const inBucket = parts.get(start);
    if (inBucket) inBucket.push(rollup);
    else parts.set(start, [rollup]);
  }
  return [...parts].map(([start, inBucket]) => ({
    start,
    readings: inBucket.reduce((sum, { figures: { readings } }) => sum + readings, 0),
    signals: signals.map((signal) => {
      const some = inBucket.flatMap(({ figures: one }) => one.signals[signal] ?? []);
      const count = some.reduce((sum, one) => sum + one.count, 0);
      const sum = some.reduce((total, one) => total + one.sum, 0);
      const wanted = <T>(figure: Figure, value: T) => (figures.has(figure) && count > 0 ? value : null);
      return {
        signal,
        count: figures.has('COUNT') ? count : null,
        min: wanted('MIN', Math.min(...some.map(({ min }) => min))),
        max: wanted('MAX', Math.max(...some.map(({ max }) => max))),
        mean: wanted('MEAN', finite(sum / count)),
        last: null,
        rate: null,
        percentiles: null,
      };
    }),
  }));
}
