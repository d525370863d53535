import type { Collections } from '../twin/collections.js';
import type { EpisodeDocument, ReadingDocument, Twin } from '../twin/documents.js';
import type { EpisodeRules } from '../twin/episodes.js';
import { foldHistory } from './fold-history.js';
import { byEventTime, FOLDED_FIELDS, type PastReading } from './past-reading.js';
import { RestartSearch } from './restart-point.js';

export interface PastOptions {
  readonly rules: EpisodeRules;
  /** Instants before this cannot be told, ms; null where all readings are kept. */
  readonly keptSince: number | null;
  /** ms for each command */
  readonly maxTimeMS: number;
  /** Rows that are read at most to find where to begin. */
  readonly mostRows?: number;
}

/** A twin as it was, with the episodes that were open. */
export interface PastTwin {
  readonly twin: Omit<Twin, 'revision'>;
  readonly open: readonly EpisodeDocument[];
  /** Rows that were folded. */
  readonly rows: number;
}

export type Past =
  | { readonly kind: 'known'; readonly past: PastTwin }
  /** The car had sent nothing by then. */
  | { readonly kind: 'none' }
  /** What decides the state then is no longer kept. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'too-many' };

const MOST_ROWS = 200_000;
const BATCH = 1_000;

/**
 * The twin of a car by event time: what `applyReading` makes of all readings up to `at`, in the order of event time, with
 * the scores that they were given when they came.
 * @param present the car's twin as it is
 */
export async function twinAt(
  { readings }: Pick<Collections, 'readings'>,
  present: Twin,
  at: Date,
  { rules, keptSince, maxTimeMS, mostRows = MOST_ROWS }: PastOptions,
): Promise<Past> {
  if (at < present.firstSeenAt) return { kind: 'none' };
  if (keptSince !== null && at.getTime() < keptSince) return { kind: 'gone' };
  const car = present._id;
  const upTo = { car, at: { $lt: after(at) } };
  const search = new RestartSearch(rules);
  const rows: PastReading[] = [];
  let restarted = false;
  const cursor = readings
    .find(upTo, { projection: FOLDED_FIELDS, maxTimeMS, batchSize: BATCH, limit: mostRows + 1 })
    .sort({ car: -1, at: -1, _id: -1 });
  for await (const row of cursor) {
    restarted = search.push(row);
    if (restarted) break;
    if (rows.length === mostRows) return { kind: 'too-many' };
    rows.push(row);
  }
  const [newest] = rows.sort(byEventTime).slice(-1);
  if (!newest) return { kind: 'gone' };
  const cut = keptSince !== null && present.firstSeenAt.getTime() < keptSince;
  if (!restarted && cut) return { kind: 'gone' };
  const [shown, counted] = await Promise.all([
    readings.findOne({ _id: newest._id }, { projection: { signals: 1 }, maxTimeMS }),
    countReadings(readings, present, at, cut, maxTimeMS),
  ]);
  const folded = shown && foldHistory([...rows.slice(0, -1), { ...newest, signals: shown.signals }], rules);
  if (!folded) return { kind: 'gone' };
  const { revision: _revision, ...twin } = folded.twin;
  const counters = { readings: counted.readings, late: counted.late, duplicate: 0, expired: 0, rejected: 0 };
  const open = folded.episodes.filter(({ status }) => status === 'OPEN');
  const past = { ...twin, counters, firstSeenAt: present.firstSeenAt };
  return { kind: 'known', past: { twin: past, open, rows: rows.length } };
}

/** Not $lte: `secantusd-py` leaves the bound itself out where the index goes on behind it. */
const after = (at: Date) => new Date(at.getTime() + 1);

type Readings = Collections['readings'];

/** Where rows are gone already, what came since is taken from what was ever counted. */
async function countReadings(readings: Readings, present: Twin, at: Date, cut: boolean, maxTimeMS: number) {
  const car = present._id;
  const count = (filter: Parameters<Readings['countDocuments']>[0]) => readings.countDocuments(filter, { maxTimeMS });
  const upTo = { $lt: after(at) };
  const since = { $gte: after(at) };
  const isLate = { late: true } satisfies Partial<ReadingDocument>;
  if (!cut) {
    const [all, late] = await Promise.all([count({ car, at: upTo }), count({ car, at: upTo, ...isLate })]);
    return { readings: all, late };
  }
  const [all, late] = await Promise.all([count({ car, at: since }), count({ car, at: since, ...isLate })]);
  const { counters } = present;
  return { readings: Math.max(0, counters.readings - all), late: Math.max(0, counters.late - late) };
}
