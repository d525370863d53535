import type { Collection, Document } from 'mongodb';
import { STATUSES, type Status, type Twin } from '../twin/documents.js';
import { FRESHNESSES, type Freshness, type FreshnessEdges } from './freshness.js';

export const PERCENTILES = [0.5, 0.9, 0.95, 0.99] as const;

export interface FleetSummary {
  readonly cars: number;
  /** Cars that have a score. */
  readonly scored: number;
  readonly byStatus: Readonly<Record<Status, number>>;
  readonly byFreshness: Readonly<Record<Freshness, number>>;
  /** Of score / threshold, in the order of PERCENTILES; null without any score. */
  readonly percentiles: readonly (number | null)[];
}

/** Cars by status, freshness and whether they have a score. A stated read of the whole fleet. */
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
        scored: { $gt: ['$score.ratio', null] },
      },
      cars: { $sum: 1 },
    },
  },
];

/** Percentiles of score / threshold over the whole fleet; projected first, which halves the work of some servers. */
export const SCORE_PERCENTILES: readonly Document[] = [
  { $project: { _id: 0, ratio: '$score.ratio' } },
  {
    $group: {
      _id: null,
      percentiles: { $percentile: { input: '$ratio', p: [...PERCENTILES], method: 'approximate' } },
    },
  },
];

interface CountRow {
  readonly _id: { readonly status: Status; readonly freshness: Freshness; readonly scored: boolean };
  readonly cars: number;
}

export async function readSummary(
  twins: Collection<Twin>,
  edges: FreshnessEdges,
  maxTimeMS: number,
): Promise<FleetSummary> {
  const [rows, [spread]] = await Promise.all([
    twins.aggregate<CountRow>(FLEET_COUNTS(edges), { maxTimeMS }).toArray(),
    twins.aggregate<{ percentiles: (number | null)[] }>([...SCORE_PERCENTILES], { maxTimeMS }).toArray(),
  ]);
  return { ...countsOf(rows), percentiles: PERCENTILES.map((_, index) => spread?.percentiles[index] ?? null) };
}

function countsOf(rows: readonly CountRow[]): Omit<FleetSummary, 'percentiles'> {
  const cars = (counted: (id: CountRow['_id']) => boolean) =>
    rows.filter((row) => counted(row._id)).reduce((sum, row) => sum + row.cars, 0);
  return {
    cars: cars(() => true),
    scored: cars(({ scored }) => scored),
    byStatus: byName(STATUSES, (name) => cars(({ status }) => status === name)),
    byFreshness: byName(FRESHNESSES, (name) => cars(({ freshness }) => freshness === name)),
  };
}

function byName<T extends string>(names: readonly T[], count: (name: T) => number): Record<T, number> {
  return Object.fromEntries(names.map((name) => [name, count(name)])) as Record<T, number>;
}
