import type { Document } from 'mongodb';
import type { EpisodeKind } from '../twin/episode-kind.js';
import { counting } from './coverage.js';
import type { FreshnessEdges } from './freshness.js';
import { type Measure, measureField } from './measure.js';
import type { TimeWindow } from './source.js';

/** What cars can be grouped by. */
export const DIMENSIONS = ['STATUS', 'FIRMWARE', 'MODEL', 'FLEET'] as const;
export type Dimension = (typeof DIMENSIONS)[number];

export const FIELD_OF: Readonly<Record<Dimension, string>> = {
  STATUS: '$status',
  FIRMWARE: '$reported.signals.controlUnitFirmware',
  MODEL: '$attributes.model',
  FLEET: '$attributes.fleet',
};

const orNull = (expression: string): Document => ({ $ifNull: [expression, null] });

/** Cars by up to two dimensions, with count, mean and percentiles of a measure; one group more than is told. One read of the cohort. */
export const GROUPS = (
  by: readonly Dimension[],
  measure: Measure | null,
  percentiles: readonly number[],
  edges: FreshnessEdges,
): Document[] => {
  const value = measure && `$${measureField(measure)}`;
  const figures = value && {
    mean: { $avg: value },
    ...(percentiles.length > 0 && {
      percentiles: { $percentile: { input: value, p: [...percentiles], method: 'approximate' } },
    }),
  };
  const id = Object.fromEntries(by.map((dimension, n) => [`d${n}`, orNull(FIELD_OF[dimension])]));
  return [
    { $group: { _id: id, ...counting(measure ? [measure] : [], edges), ...figures } },
    { $sort: { cars: -1, _id: 1 } },
    { $limit: MOST_GROUPS + 1 },
  ];
};

export const MOST_GROUPS = 1_000;

/** How a measure is spread over the cohort. One read of it. */
export const SPREAD = (measure: Measure, edges: FreshnessEdges): Document[] => {
  const value = `$${measureField(measure)}`;
  const figures = { mean: { $avg: value }, min: { $min: value }, max: { $max: value } };
  return [{ $group: { _id: null, ...counting([measure], edges), ...figures } }];
};

/**
 * Cars in bins of equal width from `min` on; the highest value lies in the last bin, and in the first or last one a value that came
 * to lie outside since the range was read. In halves: the range may be beyond all numbers. One read of the cohort.
 */
export const HISTOGRAM = (measure: Measure, min: number, width: number, bins: number): Document[] => {
  const value = `$${measureField(measure)}`;
  const bin = { $floor: { $divide: [{ $subtract: [{ $divide: [value, 2] }, min / 2] }, width / 2] } };
  return [
    { $match: { [measureField(measure)]: { $ne: null } } },
    { $group: { _id: { $max: [0, { $min: [bin, bins - 1] }] }, cars: { $sum: 1 } } },
    { $sort: { _id: 1 } },
  ];
};

/** The cars with the highest or lowest values of a measure. One read of the cohort that keeps only the best. */
export const EXTREMES = (measure: Measure, direction: 1 | -1, count: number): Document[] => [
  { $match: { [measureField(measure)]: { $ne: null } } },
  { $sort: { [measureField(measure)]: direction, _id: 1 } },
  { $limit: count },
  { $project: { value: `$${measureField(measure)}` } },
];

/** Means of measures over the cars that have all of them, with the lowest and highest values. One read of the cohort. */
export const MEANS = (measures: readonly Measure[]): Document[] => [
  { $match: Object.fromEntries(measures.map((measure) => [measureField(measure), { $ne: null }])) },
  {
    $group: {
      _id: null,
      ...Object.fromEntries(
        measures.flatMap((measure, n) => {
          const value = `$${measureField(measure)}`;
          return [
            [`m${n}`, { $avg: value }],
            [`l${n}`, { $min: value }],
            [`h${n}`, { $max: value }],
          ];
        }),
      ),
    },
  },
];

/**
 * Sums of products of deviations from the means, of each pair of measures: what correlations are made of.
 * @param units powers of two near the largest values: divided by them nothing is rounded, and no square is beyond all numbers
 */
export const PRODUCTS = (
  measures: readonly Measure[],
  means: readonly number[],
  units: readonly number[],
): Document[] => {
  const off = (n: number) => ({
    $subtract: [
      { $divide: [`$${measureField(measures[n] as Measure)}`, units[n]] },
      (means[n] as number) / (units[n] as number),
    ],
  });
  const pairs = measures.flatMap((_, one) => measures.slice(one).map((__, more) => [one, one + more] as const));
  return [
    { $match: Object.fromEntries(measures.map((measure) => [measureField(measure), { $ne: null }])) },
    {
      $group: {
        _id: null,
        ...Object.fromEntries(pairs.map(([a, b]) => [`p${a}_${b}`, { $sum: { $multiply: [off(a), off(b)] } }])),
      },
    },
  ];
};

export interface EpisodeWindow extends TimeWindow {
  readonly kinds: readonly EpisodeKind[];
}

/** A window that stands still, or the last so many ms, which move on. */
export type AskedWindow = EpisodeWindow | (Pick<EpisodeWindow, 'kinds'> & { readonly last: number });

/** Two stages: some servers take the index only for a range that stands alone. */
const opened = ({ from, to, kinds }: EpisodeWindow, scope: Document): Document[] => [
  { $match: { ...scope, openedAt: { $gte: from, $lt: to } } },
  { $match: { kind: { $in: [...kinds] } } },
];

/** Rows that name a car, as that car's twin with the row in it; those whose twin matches. One twin is looked up for each row. */
const AS_CARS = (car: string, cars: Document): Document[] => [
  { $lookup: { from: 'twins', localField: car, foreignField: '_id', as: 'twin' } },
  { $unwind: '$twin' },
  { $replaceRoot: { newRoot: { $mergeObjects: ['$twin', { row: '$$ROOT' }] } } },
  { $match: cars },
];

/** Those rows whose car matches as it is now; all of them for a query that asks for nothing. */
export const OF_CARS = (car: string, cars: Document): Document[] =>
  Object.keys(cars).length === 0 ? [] : [...AS_CARS(car, cars), { $replaceRoot: { newRoot: '$row' } }];

/** Cars with an episode opened in the window, by a dimension. An index range on the opening, then one twin for each car. */
export const FAILED = (by: Dimension, window: EpisodeWindow, scope: Document, cars: Document): Document[] => [
  ...opened(window, scope),
  { $group: { _id: '$car', episodes: { $sum: 1 } } },
  ...AS_CARS('_id', cars),
  { $group: { _id: orNull(FIELD_OF[by]), failed: { $sum: 1 }, episodes: { $sum: '$row.episodes' } } },
];

const LASTED = { $subtract: [{ $toLong: '$clearedAt' }, { $toLong: '$openedAt' }] };

/**
 * Episodes opened in the window, of cars that match as they are now: how many, how many of them are cleared, and how long that
 * took together, ms. An index range on the opening.
 */
export const EPISODE_TIMES = (window: EpisodeWindow, scope: Document, cars: Document): Document[] => [
  ...opened(window, scope),
  {
    $group: {
      _id: { car: '$car', kind: '$kind' },
      episodes: { $sum: 1 },
      cleared: { $sum: { $cond: [{ $gt: ['$clearedAt', null] }, 1, 0] } },
      // Sums of times in ms: not every server takes differences of dates.
      clearing: { $sum: { $cond: [{ $gt: ['$clearedAt', null] }, LASTED, 0] } },
    },
  },
  ...OF_CARS('_id.car', cars),
  {
    $group: {
      _id: '$_id.kind',
      episodes: { $sum: '$episodes' },
      cleared: { $sum: '$cleared' },
      clearing: { $sum: '$clearing' },
    },
  },
  { $sort: { _id: 1 } },
];

/** Count, mean and standard deviation of measures, each over the cars that have it. One read of the cohort. */
export const MOMENTS = (measures: readonly Measure[], edges: FreshnessEdges): Document[] => [
  {
    $group: {
      _id: null,
      ...counting(measures, edges),
      ...Object.fromEntries(
        measures.flatMap((measure, n) => {
          const value = `$${measureField(measure)}`;
          return [
            [`n${n}`, { $sum: { $cond: [{ $gt: [value, null] }, 1, 0] } }],
            [`m${n}`, { $avg: value }],
            [`s${n}`, { $stdDevSamp: value }],
          ];
        }),
      ),
    },
  },
];
