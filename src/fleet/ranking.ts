import type { Collection, Filter } from 'mongodb';
import type { Twin } from '../twin/documents.js';

export const RANKINGS = ['SCORE', 'LAST_SEEN', 'ID'] as const;
export type Ranking = (typeof RANKINGS)[number];
export type Direction = 'ASC' | 'DESC';

/** The field that a ranking goes by. Scores of different models compare by their ratio to the threshold. */
export const RANKED_BY = { SCORE: 'score.ratio', LAST_SEEN: 'lastSeenAt', ID: '_id' } as const;

export interface RankingOrder {
  readonly by: Ranking;
  readonly direction: Direction;
}

/** A car's place: the value it was ranked by (ms for times; null by id, and without a score) and its id, which breaks ties. */
export interface Place {
  readonly value: number | null;
  readonly id: string;
}

/**
 * The cars behind `place` in the given order; ids rise within equal values in both directions. Cars without a score come
 * last in falling and first in rising order, as MongoDB sorts null. Only by id is there an index; elsewhere `$or` costs
 * nothing.
 */
export function behind(place: Place, { by, direction }: RankingOrder): Filter<Twin> {
  if (by === 'ID') return { _id: direction === 'ASC' ? { $gt: place.id } : { $lt: place.id } };
  const field = RANKED_BY[by];
  const value = place.value !== null && by === 'LAST_SEEN' ? new Date(place.value) : place.value;
  const tied = { [field]: value, _id: { $gt: place.id } };
  if (value === null) return direction === 'DESC' ? tied : { $or: [tied, { [field]: { $ne: null } }] };
  if (direction === 'ASC') return { $or: [tied, { [field]: { $gt: value } }] };
  return { $or: [tied, { [field]: { $lt: value } }, { [field]: null }] };
}

/** Where a place would stand in a list in that order: the index of the first entry behind it. */
export function firstBehind(places: readonly Place[], place: Place, order: RankingOrder): number {
  let low = 0;
  let high = places.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(places[middle] as Place, place, order) > 0) high = middle;
    else low = middle + 1;
  }
  return low;
}

function compare(a: Place, b: Place, { by, direction }: RankingOrder): number {
  const left = a.value ?? Number.NEGATIVE_INFINITY;
  const right = b.value ?? Number.NEGATIVE_INFINITY;
  if (left !== right) return left < right === (direction === 'ASC') ? -1 : 1;
  if (a.id === b.id) return 0;
  return a.id < b.id === (by !== 'ID' || direction === 'ASC') ? -1 : 1;
}

/**
 * Reads the next `limit` places: one pass over the collection that keeps only the best, because nothing that changes with
 * every message is indexed.
 */
export async function readPlaces(
  twins: Collection<Twin>,
  query: Filter<Twin>,
  order: RankingOrder,
  after: Place | null,
  { limit, maxTimeMS }: { limit: number; maxTimeMS: number },
): Promise<Place[]> {
  const field = RANKED_BY[order.by];
  const filter = after ? { $and: [query, behind(after, order)] } : query;
  const step = order.direction === 'ASC' ? 1 : -1;
  const rows = await twins
    .find(filter, { projection: { [field]: 1 }, maxTimeMS })
    .sort(order.by === 'ID' ? { _id: step } : { [field]: step, _id: 1 })
    .limit(limit)
    .toArray();
  return rows.map((row) => ({ value: valueOf(row, order.by), id: row._id }));
}

function valueOf(row: Pick<Twin, 'score' | 'lastSeenAt'>, by: Ranking): number | null {
  if (by === 'ID') return null;
  return by === 'SCORE' ? (row.score?.ratio ?? null) : row.lastSeenAt.getTime();
}
