import type { Document } from 'mongodb';
import { STEPS, type Step, windowsBetween } from '../telemetry/window.js';
import { rollupsOf } from '../twin/collections.js';
import type { Database } from '../twin/database.js';
import type { FleetRollupDocument } from '../twin/rollup-documents.js';
import { windowId } from '../twin/rollup-marks.js';
import type { Rollups } from '../rollup/rollups.js';
import { under } from '../rollup/windows-read.js';
import { type Measure, measureField } from './measure.js';
import { OF_CARS } from './pipelines.js';
import { BeforeRetention, someCars, type TimeWindow } from './source.js';

/** The collection that holds what a window's cars sent, and the stages that give one document per car. */
export interface WindowSource {
  readonly collection: string;
  readonly source: 'READINGS' | 'ROLLUPS';
  readonly stages: Document[];
}

/** Rollups of more windows are not read at once: the readings are no cheaper, but their limit in time says so. */
const MOST_WINDOWS = 1_000;

const SCORE_RATIO = {
  $cond: [{ $gt: ['$score.threshold', 0] }, { $divide: ['$score.value', '$score.threshold'] }, null],
};

/** Each car's mean of each measure over its readings in a window. An index range on time; what it costs goes by the readings. */
export const MEANS_IN_READINGS = (
  { from, to }: TimeWindow,
  measures: readonly Measure[],
  among: readonly string[] | null = null,
): Document[] => [
  { $match: { ...someCars(among), at: { $gte: from, $lt: to } } },
  {
    $group: {
      _id: '$car',
      ...Object.fromEntries(
        measures.map((measure, n) => [`w${n}`, { $avg: measure === 'SCORE' ? SCORE_RATIO : `$signals.${measure}` }]),
      ),
    },
  },
];

/** The same out of the windows' rollups, which have sums and counts of each signal. A range of ids for each window. */
export const MEANS_IN_ROLLUPS = (
  windows: readonly Pick<FleetRollupDocument, 'at' | 'run'>[],
  measures: readonly Measure[],
  among: readonly string[] | null = null,
): Document[] => [
  ...(among ? [{ $match: { ...someCars(among), at: { $in: windows.map(({ at }) => at) } } }] : []),
  { $match: { $or: windows.map(({ at, run }) => ({ _id: under(`${windowId(at.getTime())}/${run}`) })) } },
  {
    $group: {
      _id: '$car',
      ...Object.fromEntries(
        measures.flatMap((measure, n) => [
          [`c${n}`, { $sum: `$signals.${measure}.count` }],
          [`s${n}`, { $sum: `$signals.${measure}.sum` }],
        ]),
      ),
    },
  },
  {
    $project: Object.fromEntries(
      measures.map((_, n) => [
        `w${n}`,
        { $cond: [{ $gt: [`$c${n}`, 0] }, { $divide: [`$s${n}`, { $max: [`$c${n}`, 1] }] }, null] },
      ]),
    ),
  },
];

/** The means where a twin has what it reported last. */
const asTwins = (measures: readonly Measure[]): Document[] => [
  { $project: Object.fromEntries(measures.map((measure, n) => [measureField(measure), `$w${n}`])) },
];

export interface WindowQuestion {
  readonly window: TimeWindow;
  readonly measures: readonly Measure[];
  /** Of cars that match as they are now. */
  readonly cars: Document;
  /** Their ids where they are few; null otherwise. */
  readonly among: readonly string[] | null;
  /** Readings before this are not kept, ms; null where all are. */
  readonly keptSince: number | null;
}

/**
 * Rollups where they hold all that is asked for and are up to date, the readings otherwise: both give the same.
 * @throws BeforeRetention
 */
export async function windowSource(
  { collections }: Pick<Database, 'collections'>,
  rollups: Rollups,
  { window, measures, cars, among, keptSince }: WindowQuestion,
): Promise<WindowSource> {
  const step = stepOf(window);
  const count = step && !measures.includes('SCORE') ? (+window.to - +window.from) / STEPS[step] : 0;
  const starts =
    step && count <= MOST_WINDOWS ? windowsBetween(+window.from, +window.from + count * STEPS[step], step) : [];
  const computed = step && starts.length > 0 ? await rollups.computed(step, starts) : null;
  const rest = [...(among ? [] : OF_CARS('_id', cars)), ...asTwins(measures)];
  if (step && computed) {
    // No rollups at all: nobody sent anything.
    const stages =
      computed.length > 0 ? MEANS_IN_ROLLUPS(computed, measures, among) : [{ $match: { _id: { $in: [] } } }];
    return { collection: rollupsOf(collections, step).collectionName, source: 'ROLLUPS', stages: [...stages, ...rest] };
  }
  if (keptSince !== null && +window.from < keptSince)
    throw new BeforeRetention('Readings of that window are no longer kept, and rollups do not have what is asked for');
  const stages = [...MEANS_IN_READINGS(window, measures, among), ...rest];
  return { collection: collections.readings.collectionName, source: 'READINGS', stages };
}

/** The longest windows that make it up exactly; null where none do. */
function stepOf({ from, to }: TimeWindow): Step | null {
  const fits = (step: Step) => +from % STEPS[step] === 0 && +to % STEPS[step] === 0;
  if (fits('HOUR')) return 'HOUR';
  return fits('FIVE_MINUTES') ? 'FIVE_MINUTES' : null;
}
