import type { Collections } from '../twin/collections.js';
import type { Rollups } from '../rollup/rollups.js';
import { STEPS, windowsBetween, type Step } from '../telemetry/window.js';
import { type Bucket, type BucketQuery, type BucketRow, BUCKETS, bucketOf, type Figure } from './buckets.js';

export interface Aggregate {
  readonly source: 'RAW' | 'ROLLUP';
  /** Those with readings, rising. */
  readonly buckets: readonly Bucket[];
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
 */
export async function aggregate(
  { readings }: Pick<Collections, 'readings'>,
  rollups: Rollups,
  query: BucketQuery,
  maxTimeMS: number,
): Promise<Aggregate> {
  const window = rollupStep(query);
  if (window) return { source: 'ROLLUP', buckets: await fromRollups(rollups, query, window) };
  const rows = await readings.aggregate<BucketRow>(BUCKETS(query), { maxTimeMS, allowDiskUse: false }).toArray();
  return { source: 'RAW', buckets: rows.map((row) => bucketOf(row, query)) };
}

async function fromRollups(rollups: Rollups, query: BucketQuery, window: Step): Promise<Bucket[]> {
  const { car, signals, from, to, step, figures } = query;
  const starts = windowsBetween(from.getTime(), to.getTime(), window);
  const parts = new Map<number, Awaited<ReturnType<Rollups['read']>>>();
  for (const rollup of await rollups.read(window, starts, car)) {
    const start = rollup.start - (rollup.start % step);
    parts.set(start, [...(parts.get(start) ?? []), rollup]);
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
        mean: wanted('MEAN', sum / count),
        last: null,
        rate: null,
        percentiles: null,
      };
    }),
  }));
}
