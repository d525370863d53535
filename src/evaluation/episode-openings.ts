import type { Database } from '../twin/database.js';
import type { EpisodeDocument, ReadingDocument } from '../twin/documents.js';
import { kindOf, MECHANICAL_KINDS, type EpisodeKind } from '../twin/episode-kind.js';
import type { EpisodeRules } from '../twin/episodes.js';
import { partScore } from '../twin/firmware-notice.js';
import type { Label } from '../twin/handling-documents.js';
import { openingScore, type Blame } from './suggest-threshold.js';

/** Readings of one episode that are looked at; of a longer one the first. */
const MOST = 5_000;

/** An episode with what decides under which thresholds it opens. */
export interface Opened {
  readonly id: string;
  readonly label: Label | null;
  /** See `openingScore`; the peak, which is never less, where the history no longer has the readings. */
  readonly opening: number;
  readonly byPeak: boolean;
}

/** The model that judged the newest labelled mechanical episode; null where none is labelled. */
export async function newestJudge({ collections }: Database): Promise<string | null> {
  const judged = { kind: { $in: [...MECHANICAL_KINDS] }, 'handling.label': { $in: ['TRUE', 'FALSE'] as Label[] } };
  const [newest] = await collections.anomalies.find(judged).sort({ openedAt: -1 }).limit(1).toArray();
  return newest?.model ?? null;
}

/**
 * Mechanical episodes that a model judged, oldest opening first: the labelled ones, and all that opened since then.
 * @returns one by one; `threshold` is the model's
 */
export async function* openings(
  database: Database,
  model: string,
  since: Date,
  rules: EpisodeRules,
): AsyncGenerator<Opened & { readonly threshold: number; readonly recent: boolean }> {
  const wanted = {
    model,
    kind: { $in: [...MECHANICAL_KINDS] as EpisodeKind[] },
    $or: [{ 'handling.label': { $exists: true } }, { openedAt: { $gte: since } }],
  };
  for await (const episode of database.collections.anomalies.find(wanted).sort({ openedAt: 1 })) {
    const { _id: id, kind, peak, openedAt, handling } = episode;
    if (!peak) continue;
    const exact = openingScore(await blamesOf(database, episode, rules), kind, rules);
    const byPeak = exact === -Infinity;
    const threshold = peak.ratio > 0 ? peak.value / peak.ratio : 0;
    const opening = byPeak ? peak.value : exact;
    yield { id, label: handling?.label ?? null, opening, byPeak, threshold, recent: openedAt >= since };
  }
}

/** The scored readings from just before the opening to the end, oldest first. */
async function blamesOf(
  { collections }: Database,
  { car, openedAt, updatedAt, model }: EpisodeDocument,
  { window }: Pick<EpisodeRules, 'window'>,
): Promise<Blame[]> {
  const { readings } = collections;
  const projection = { score: 1, late: 1 };
  const before = readings.find({ car, at: { $lt: openedAt } }, { projection }).sort({ at: -1 });
  // Not $lte: `secantusd-py` leaves the bound itself out where the index goes on behind it.
  const end = new Date(updatedAt.getTime() + 1);
  const during = readings.find({ car, at: { $gte: openedAt, $lt: end } }, { projection }).sort({ at: 1 });
  const first = await before.limit(4 * window).toArray();
  const then = await during.limit(MOST).toArray();
  const lead = first.flatMap((row) => blameOf(row, model)).slice(0, window - 1);
  return [...lead.toReversed(), ...then.flatMap((row) => blameOf(row, model))];
}

/** None for late readings, which open nothing, and for those that another model scored, in another unit. */
function blameOf({ score, late }: ReadingDocument, model: string): Blame[] {
  if (!score || late || score.model !== model) return [];
  const { value, topSignals } = partScore(score).mechanical;
  return [{ value, kind: kindOf(topSignals[0]?.signal) }];
}
