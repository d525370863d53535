import type { Collection, Document, Filter } from 'mongodb';
import { STATUSES, type Status, type Twin } from '../twin/documents.js';
import { FRESHNESSES, type Freshness, type FreshnessEdges } from './freshness.js';

export const PERCENTILES = [0.5, 0.9, 0.95, 0.99] as const;

export interface FleetSummary {
  readonly cars: number;
  /** Cars that have a score. */
  readonly scored: number;
  readonly byStatus: Readonly<Record<Status, number>>;
  readonly byFreshness: Readonly<Record<Freshness, number>>;
  /** Of score / threshold, in the order of PERCENTILES, right to 0.5 %; null without any score. */
  readonly percentiles: readonly (number | null)[];
}

/** Buckets of score / threshold: a bucket's upper edge lies 1 % above its lower one. Below SMALLEST all is one bucket. */
const PER_E = 100;
const SMALLEST = 1e-6;

const HAS_SCORE = { $gt: ['$score.ratio', null] };
const BUCKET = { $floor: { $multiply: [PER_E, { $ln: { $max: ['$score.ratio', SMALLEST] } }] } };

/**
 * Cars by status, freshness and bucket of score / threshold, in one stated read of the whole fleet. On servers that were
 * measured this costs a quarter of `$percentile` over the same cars, and gives the counts with it.
 */
export const FLEET_COUNTS = ({ stale, offline }: FreshnessEdges): Document[] => [
  {
    $group: {
      _id: {
        status: '$status',
        freshness: {
          $cond: [
            { $gt: ['$lastSeenAt', stale] },
            'LIVE',
            { $cond: [{ $gt: ['$lastSeenAt', offline] }, 'STALE', 'OFFLINE'] },
          ],
        },
        bucket: { $cond: [HAS_SCORE, BUCKET, null] },
      },
      cars: { $sum: 1 },
    },
  },
];

export interface CountRow {
  /** `bucket` is null for cars without a score. */
  readonly _id: { readonly status: Status; readonly freshness: Freshness; readonly bucket: number | null };
  readonly cars: number;
}

export async function readSummary(
  twins: Collection<Twin>,
  cars: Filter<Twin>,
  edges: FreshnessEdges,
  maxTimeMS: number,
): Promise<FleetSummary> {
  return summaryOf(
    await twins.aggregate<CountRow>([{ $match: cars }, ...FLEET_COUNTS(edges)], { maxTimeMS }).toArray(),
  );
}

export function summaryOf(rows: readonly CountRow[]): FleetSummary {
  const cars = (counted: (id: CountRow['_id']) => boolean) =>
    rows.filter((row) => counted(row._id)).reduce((sum, row) => sum + row.cars, 0);
  const scored = cars(({ bucket }) => bucket !== null);
  return {
    cars: cars(() => true),
    scored,
    byStatus: byName(STATUSES, (name) => cars(({ status }) => status === name)),
    byFreshness: byName(FRESHNESSES, (name) => cars(({ freshness }) => freshness === name)),
    percentiles: PERCENTILES.map((part) => percentile(rows, part * scored)),
  };
}

function byName<T extends string>(names: readonly T[], count: (name: T) => number): Record<T, number> {
  return Object.fromEntries(names.map((name) => [name, count(name)])) as Record<T, number>;
}

/** The middle of the bucket in which the car of that rank lies. */
function percentile(rows: readonly CountRow[], rank: number): number | null {
  const buckets = rows.flatMap(({ _id: { bucket }, cars }) => (bucket === null ? [] : [{ bucket, cars }]));
  let below = 0;
  for (const { bucket, cars } of buckets.sort((a, b) => a.bucket - b.bucket)) {
    below += cars;
    if (below >= rank) return Math.exp((bucket + 0.5) / PER_E);
  }
  return null;
}
