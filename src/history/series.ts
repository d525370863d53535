import type { Document } from 'mongodb';
import type { SignalName } from '../telemetry/signals.js';
import type { Collections } from '../twin/collections.js';
import { lttb, type Point } from './lttb.js';

/** LTTB: largest triangle, three buckets; MIN_MAX: first, lowest, highest and last of equal stretches of time (M4). */
export const REDUCTIONS = ['LTTB', 'MIN_MAX'] as const;
export type Reduction = (typeof REDUCTIONS)[number];

export interface SeriesQuery {
  readonly car: string;
  readonly signal: SignalName;
  readonly from: Date;
  /** Not included */
  readonly to: Date;
  /** At least 4 */
  readonly maxPoints: number;
  readonly method: Reduction;
}

export interface Series {
  readonly points: readonly Point[];
  /** Values that there are. */
  readonly values: number;
}

/** Points of a signal. */
export const MOST_POINTS = 5_000;
/** Values that are read as they are; of more, only the extremes of so many stretches leave the database. */
const MOST_VALUES = 20_000;

/** First, lowest, highest and last value of equal stretches of time: four values a stretch, whatever lies in it. */
export const EXTREMES = ({ car, signal, from, to }: SeriesQuery, stretches: number): Document[] => {
  const width = Math.max(1, Math.ceil((to.getTime() - from.getTime()) / stretches));
  const since = { $subtract: [{ $toLong: '$at' }, from.getTime()] };
  const value = `$signals.${signal}`;
  return [
    { $match: { car, at: { $gte: from, $lt: to } } },
    // Apart, so that every server takes the index for the range.
    { $match: { [`signals.${signal}`]: { $ne: null } } },
    {
      $group: {
        _id: { $subtract: [since, { $mod: [since, width] }] },
        values: { $sum: 1 },
        first: { $min: { at: '$at', value } },
        last: { $max: { at: '$at', value } },
        lowest: { $min: { value, at: '$at' } },
        highest: { $max: { value, at: '$at' } },
      },
    },
    { $sort: { _id: 1 } },
  ];
};

interface StretchRow {
  readonly values: number;
  readonly first: { at: Date; value: number };
  readonly last: { at: Date; value: number };
  readonly lowest: { at: Date; value: number };
  readonly highest: { at: Date; value: number };
}

/** A signal of a car over a time, reduced so that a plot of it keeps its shape: first and last value and the extremes stay. */
export async function series(
  { readings }: Pick<Collections, 'readings'>,
  query: SeriesQuery,
  maxTimeMS: number,
): Promise<Series> {
  const { method, maxPoints } = query;
  const stretches = method === 'MIN_MAX' ? Math.max(1, Math.floor(maxPoints / 4)) : MOST_VALUES / 4;
  const rows = await readings.aggregate<StretchRow>(EXTREMES(query, stretches), { maxTimeMS }).toArray();
  const values = rows.reduce((sum, row) => sum + row.values, 0);
  const asTheyAre = values <= (method === 'MIN_MAX' ? maxPoints : MOST_VALUES);
  const points = asTheyAre ? await allPoints(readings, query, maxTimeMS) : pointsOf(rows);
  return { points: points.length <= maxPoints ? points : lttb(points, maxPoints), values };
}

/** At most four a row, each once, by time. */
function pointsOf(rows: readonly StretchRow[]): Point[] {
  return rows.flatMap(({ first, lowest, highest, last }) => {
    const once = new Map(
      [first, lowest, highest, last].map(({ at, value }) => [`${at.getTime()}/${value}`, { at: at.getTime(), value }]),
    );
    return [...once.values()].sort((one, other) => one.at - other.at);
  });
}

async function allPoints(
  readings: Collections['readings'],
  { car, signal, from, to }: SeriesQuery,
  maxTimeMS: number,
): Promise<Point[]> {
  const value = `$signals.${signal}`;
  const pipeline = [
    { $match: { car, at: { $gte: from, $lt: to } } },
    { $sort: { car: 1, at: 1, _id: 1 } },
    { $match: { [`signals.${signal}`]: { $ne: null } } },
    { $limit: MOST_VALUES + 1_000 },
    { $project: { _id: 0, at: 1, value } },
  ];
  const rows = await readings.aggregate<{ at: Date; value: number }>(pipeline, { maxTimeMS }).toArray();
  return rows.map((row) => ({ at: row.at.getTime(), value: row.value }));
}
