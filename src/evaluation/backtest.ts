import type { Scorer } from '../telemetry/score.js';
import type { Reading } from '../telemetry/reading.js';
import type { Database } from '../twin/database.js';
import type { ReadingDocument, Severity } from '../twin/documents.js';
import type { EpisodeKind } from '../twin/episode-kind.js';
import type { EpisodeRules } from '../twin/episodes.js';
import { SEVERITIES } from '../twin/documents.js';
import { replay } from './replay.js';

/** An episode that a model would have opened. */
export interface WouldBe {
  readonly id: string;
  readonly car: string;
  readonly kind: EpisodeKind;
  readonly openedAt: Date;
  /** The highest that it reached. */
  readonly severity: Severity;
  readonly peakRatio: number;
  readonly cleared: boolean;
}

export interface Backtest {
  readonly model: string;
  readonly from: Date;
  readonly to: Date;
  readonly cars: number;
  readonly readings: number;
  readonly unscored: number;
  /** Readings above the model's threshold, and those that were above that of the model which scored them then. */
  readonly flagged: number;
  readonly flaggedThen: number;
  readonly episodes: readonly WouldBe[];
  /** Episodes of the kinds that come from scores, opened in that time, as they were raised then. */
  readonly raisedThen: number;
}

export interface BacktestRange {
  readonly from: Date;
  readonly to: Date;
  /** One car only. */
  readonly car?: string | undefined;
}

/**
 * Scores stored history by another model, in the order of event time, and folds it by the reducer of the service from empty
 * twins. Touches no live state. Memory holds a twin of each car and the episodes.
 */
export async function backtest(
  database: Database,
  { from, to, car }: BacktestRange,
  scorer: Scorer,
  rules: EpisodeRules,
  onProgress: (readings: number) => void = () => undefined,
): Promise<Backtest> {
  const episodes = new Map<string, WouldBe>();
  const cars = new Set<string>();
  const counts = { readings: 0, unscored: 0, flagged: 0, flaggedThen: 0 };
  const history = historyOf(database, { from, to, car }, (row) => {
    counts.readings += 1;
    if (row.score?.anomalous) counts.flaggedThen += 1;
    if (counts.readings % 10_000 === 0) onProgress(counts.readings);
  });
  for await (const { reading, scored, changes } of replay(history, scorer, rules)) {
    cars.add(reading.car);
    if (scored?.kind === 'scored' && scored.score.anomalous) counts.flagged += 1;
    if (scored?.kind === 'unscored') counts.unscored += 1;
    for (const change of changes) {
      const { id, kind, at, severity, ratio, event } = change;
      const before = episodes.get(id);
      episodes.set(id, {
        id,
        car: reading.car,
        kind,
        openedAt: before?.openedAt ?? at,
        severity: higher(before?.severity, severity),
        peakRatio: Math.max(before?.peakRatio ?? 0, ratio),
        cleared: event === 'CLEARED',
      });
    }
  }
  const opened = {
    openedAt: { $gte: from, $lt: to },
    kind: { $ne: 'NO_DATA' as EpisodeKind },
    ...(car === undefined ? {} : { car }),
  };
  const raisedThen = await database.collections.anomalies.countDocuments(opened);
  return { model: scorer.model, from, to, cars: cars.size, ...counts, episodes: [...episodes.values()], raisedThen };
}

/** Rows by the index on {at}, or by that on {car, at} for one car. */
async function* historyOf(
  { collections }: Database,
  { from, to, car }: BacktestRange,
  seen: (row: ReadingDocument) => void,
): AsyncGenerator<Reading> {
  const filter = { at: { $gte: from, $lt: to }, ...(car === undefined ? {} : { car }) };
  const rows = collections.readings.find(filter, { batchSize: 2_000 }).sort({ at: 1 });
  for await (const row of rows) {
    seen(row);
    yield { car: row.car, at: row.at.getTime(), skewedAt: null, signals: row.signals, label: row.label ?? null };
  }
}

function higher(one: Severity | undefined, other: Severity): Severity {
  return one !== undefined && SEVERITIES.indexOf(one) > SEVERITIES.indexOf(other) ? one : other;
}
