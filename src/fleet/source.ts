import type { Document } from 'mongodb';
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

/** The collection that a question about a cohort begins at, and the stages that give one document per car, as a twin has it. */
export interface Source {
  readonly collection: 'twins' | 'readings';
  readonly stages: Document[];
}

/**
 * The newest reading of each car in the ten minutes before an instant, in the shape of a twin: signals, score, time, and the
 * attributes that the car has now. An index range on time; what it costs goes by the readings in it.
 */
export const CARS_AT = (at: Date): Document[] => [
  { $match: { at: { $gte: new Date(at.getTime() - LOOK_BACK), $lt: new Date(at.getTime() + 1) } } },
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
  {
    $project: {
      lastSeenAt: 1,
      reported: { signals: '$signals', at: '$lastSeenAt' },
      score: { ratio: { $cond: [{ $gt: ['$threshold', 0] }, { $divide: ['$value', '$threshold'] }, null] } },
      attributes: { $arrayElemAt: ['$twin.attributes', 0] },
    },
  },
];

export function sourceOf({ filter, at }: Cohort, edges: FreshnessEdges): Source {
  const match = { $match: carQuery(filter, edges) };
  return at ? { collection: 'readings', stages: [...CARS_AT(at), match] } : { collection: 'twins', stages: [match] };
}
