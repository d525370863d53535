import type { Collections } from '../twin/collections.js';
import type { EpisodeDocument, Twin } from '../twin/documents.js';
import type { EpisodeRules } from '../twin/episodes.js';
import { foldHistory } from './fold-history.js';
import { newestFirst, usualSpan } from './newest-first.js';
import { byEventTime, type PastReading } from './past-reading.js';
import { RestartSearch } from './restart-point.js';

export interface PastOptions {
  readonly rules: EpisodeRules;
  /** Instants before this cannot be told, ms; null where all readings are kept. */
  readonly keptSince: number | null;
  /** ms for each command */
  readonly maxTimeMS: number;
  /** Rows that are read at most to find where to begin. */
  readonly mostRows: number;
}

/** A twin as it was, with the episodes that were open. `countersAt` counts. */
export interface PastTwin {
  readonly twin: Omit<Twin, 'revision' | 'counters'>;
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

/**
 * The twin of a car by event time: what `applyReading` makes of all readings up to `at`, in the order of event time, with
 * the scores that they were given when they came.
 * @param present the car's twin as it is
 */
export async function twinAt(
  { readings }: Pick<Collections, 'readings'>,
  present: Twin,
  at: Date,
  { rules, keptSince, maxTimeMS, mostRows }: PastOptions,
): Promise<Past> {
  if (at < present.firstSeenAt) return { kind: 'none' };
  if (keptSince !== null && at.getTime() < keptSince) return { kind: 'gone' };
  const cut = keptSince !== null && present.firstSeenAt.getTime() < keptSince;
  // Older rows are on their way out, in any order: those of an erased car of the same name, and those past the retention.
  const oldest = cut ? keptSince : present.firstSeenAt.getTime();
  const newest = Math.min(at.getTime(), present.lastSeenAt.getTime());
  const search = new RestartSearch(rules);
  const rows: PastReading[] = [];
  let restarted = false;
  const stretch = { car: present._id, oldest, newest, span: usualSpan(present), maxTimeMS };
  for await (const row of newestFirst({ readings }, stretch)) {
    restarted = search.push(row);
    if (restarted) break;
    if (rows.length === mostRows) return { kind: 'too-many' };
    rows.push(row);
  }
  const [last] = rows.sort(byEventTime).slice(-1);
  if (!last) return { kind: 'gone' };
  if (!restarted && cut) return { kind: 'gone' };
  const shown = await readings.findOne({ _id: last._id }, { projection: { signals: 1 }, maxTimeMS });
  const folded = shown && foldHistory([...rows.slice(0, -1), { ...last, signals: shown.signals }], rules);
  if (!folded) return { kind: 'gone' };
  const { revision: _revision, counters: _counters, ...twin } = folded.twin;
  const open = folded.episodes.filter(({ status }) => status === 'OPEN');
  const past = { ...twin, firstSeenAt: present.firstSeenAt };
  return { kind: 'known', past: { twin: past, open, rows: rows.length } };
}
