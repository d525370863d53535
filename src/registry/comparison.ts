import type { Document } from 'mongodb';
import type { Database } from '../twin/database.js';

/** A shadow model beside the model that was in use, over the readings that both scored. */
export interface Comparison {
  readonly model: string;
  /** The model that was in use. */
  readonly champion: string;
  readonly readings: number;
  readonly cars: number;
  /** Both anomalous. */
  readonly both: number;
  /** Neither is. */
  readonly neither: number;
  /** Anomalous for the shadow only: alarms that it would add. */
  readonly extra: number;
  /** Anomalous for the model in use only: alarms that it would miss. */
  readonly missing: number;
  /** Cars with an extra (a missing) anomalous reading. */
  readonly carsExtra: number;
  readonly carsMissing: number;
  /** Mean of score / threshold. */
  readonly meanRatio: number;
  readonly championMeanRatio: number;
}

export interface ComparedRange {
  readonly model: string;
  readonly from: Date;
  readonly to: Date;
}

/** ms */
const READ_LIMIT = 30_000;

/** First by car, so that a car counts once; then over the cars. */
export function comparisonPipeline({ model, from, to }: ComparedRange): Document[] {
  const only = (condition: Document) => ({ $sum: { $cond: [condition, 1, 0] } });
  const [shadow, champion] = ['$shadow.anomalous', '$score.anomalous'];
  const sums = ['readings', 'both', 'neither', 'extra', 'missing', 'ratio', 'championRatio'];
  return [
    { $match: { at: { $gte: from, $lt: to }, 'shadows.model': model, 'score.model': { $exists: true } } },
    {
      $project: {
        car: 1,
        score: 1,
        shadow: { $first: { $filter: { input: '$shadows', cond: { $eq: ['$$this.model', model] } } } },
      },
    },
    {
      $group: {
        _id: { champion: '$score.model', car: '$car' },
        readings: { $sum: 1 },
        both: only({ $and: [shadow, champion] }),
        neither: only({ $not: [{ $or: [shadow, champion] }] }),
        extra: only({ $and: [shadow, { $not: [champion] }] }),
        missing: only({ $and: [champion, { $not: [shadow] }] }),
        ratio: { $sum: { $divide: ['$shadow.value', '$shadow.threshold'] } },
        championRatio: { $sum: { $divide: ['$score.value', '$score.threshold'] } },
      },
    },
    {
      $group: {
        _id: '$_id.champion',
        cars: { $sum: 1 },
        carsExtra: only({ $gt: ['$extra', 0] }),
        carsMissing: only({ $gt: ['$missing', 0] }),
        ...Object.fromEntries(sums.map((name) => [name, { $sum: `$${name}` }])),
      },
    },
    { $sort: { _id: 1 } },
  ];
}

/**
 * What a model in the shadow would have changed: one comparison for each model that was in use meanwhile. Reads the range's
 * readings by the index on `at`.
 * @param range event time; `to` is not included
 */
export async function compareShadow({ collections }: Database, range: ComparedRange): Promise<Comparison[]> {
  const rows = await collections.readings
    .aggregate<Omit<Comparison, 'model' | 'champion'> & { _id: string; ratio: number; championRatio: number }>(
      comparisonPipeline(range),
      { maxTimeMS: READ_LIMIT, allowDiskUse: true },
    )
    .toArray();
  return rows.map(({ _id: champion, ratio, championRatio, ...counts }) => ({
    ...counts,
    model: range.model,
    champion,
    meanRatio: ratio / counts.readings,
    championMeanRatio: championRatio / counts.readings,
  }));
}
