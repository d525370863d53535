import type { Collection, Document, Filter } from 'mongodb';
import type { Twin } from '../twin/documents.js';
import { carQuery, type ScopedFilter } from './car-filter.js';
import type { FreshnessEdges } from './freshness.js';

/** How long before an instant a car's newest reading may lie, ms: whoever sent nothing since is left out. */
export const LOOK_BACK = 600_000;

/** Which cars, and as of when. */
export interface Cohort {
  readonly filter: ScopedFilter;
  /** Null for the twins as they are. */
  readonly at: Date | null;
}

export interface TimeWindow {
  readonly from: Date;
  /** Not included */
  readonly to: Date;
}

/** What an answer would have to be made from is no longer kept. */
export class BeforeRetention extends Error {
  override readonly name = 'BeforeRetention';
}

/** The collection that a question about a cohort begins at, and the stages that give one document per car, as a twin has it. */
export interface Source {
  readonly collection: 'twins' | 'readings';
  readonly stages: Document[];
}

/**
 * The newest reading of each car in the ten minutes before an instant, in the shape of a twin: signals, score, time, and the
 * attributes that the car has now. An index range on time, or on some cars and time; what it costs goes by the readings in it.
 * @param among ids; null for all
 */
export const CARS_AT = (at: Date, among: readonly string[] | null = null): Document[] => [
  { $match: { ...someCars(among), at: { $gte: new Date(at.getTime() - LOOK_BACK), $lt: new Date(at.getTime() + 1) } } },
  { $sort: { at: 1, hash: 1 } },
  {
    $group: {
      _id: '$car',
      lastSeenAt: { $last: '$at' },
      signals: { $last: '$signals' },
      value: { $last: '$score.value' },
      threshold: { $last: '$score.threshold' },
    },
  },
  { $lookup: { from: 'twins', localField: '_id', foreignField: '_id', as: 'twin' } },
  // Not every server takes a field of an array's first.
  { $unwind: { path: '$twin', preserveNullAndEmptyArrays: true } },
  {
    $project: {
      lastSeenAt: 1,
      reported: { signals: '$signals', at: '$lastSeenAt' },
      score: { ratio: { $cond: [{ $gt: ['$threshold', 0] }, { $divide: ['$value', '$threshold'] }, null] } },
      attributes: '$twin.attributes',
    },
  },
];

export const someCars = (among: readonly string[] | null): Document => (among ? { car: { $in: [...among] } } : {});

/** @param among the cars that can be in it; null for all */
export function sourceOf({ filter, at }: Cohort, edges: FreshnessEdges, among: readonly string[] | null): Source {
  const match = { $match: carQuery(filter, edges) };
  return at
    ? { collection: 'readings', stages: [...CARS_AT(at, among), match] }
    : { collection: 'twins', stages: [match] };
}

/** More cars than this are not named: all of them are read. */
const FEW = 1_000;

/**
 * The cars that match a query now, where they are few: readings and rollups are then looked for by their ids.
 * @returns null for many, and for a query that asks for nothing
 */
export async function fewCars(
  twins: Collection<Twin>,
  query: Filter<Twin>,
  maxTimeMS: number,
): Promise<string[] | null> {
  if (Object.keys(query).length === 0) return null;
  const found = await twins
    .find(query, { projection: { _id: 1 }, maxTimeMS })
    .limit(FEW + 1)
    .toArray();
  return found.length > FEW ? null : found.map(({ _id }) => _id);
}

/** What a filter says that is of today also for a question about the past. */
export function lasting({ ids = null, fleet = null, model = null, tags = null, within }: ScopedFilter): ScopedFilter {
  return { ids, fleet, model, tags, within };
}
