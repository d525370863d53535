import { applyReading } from '../twin/apply-reading.js';
import type { EpisodeDocument, Twin } from '../twin/documents.js';
import { foldEpisodeChanges, type PlacedChange } from '../twin/episode-writes.js';
import type { EpisodeRules } from '../twin/episodes.js';
import { positionId } from '../twin/ids.js';
import { arrivedOf, type PastReading } from './past-reading.js';

export interface Folded {
  readonly twin: Twin;
  /** Episodes that were opened, as they then were, the newest opening last. Steps of their timelines have sequence 0. */
  readonly episodes: readonly EpisodeDocument[];
}

/**
 * The twin that the reducer makes of these readings, one after the other.
 * @param rows in the order of event time
 * @returns null without any
 */
export function foldHistory(rows: readonly PastReading[], rules: EpisodeRules): Folded | null {
  let twin: Twin | null = null;
  const episodes = new Map<string, EpisodeDocument>();
  for (const row of rows) {
    const arrived = arrivedOf(row);
    const applied = applyReading(twin, arrived, rules);
    twin = applied.twin;
    const { topic, partition, offset } = arrived.source;
    const placed = applied.changes.map((change): PlacedChange => ({ car: row.car, change, offset }));
    if (placed.length > 0) write(episodes, placed, positionId(topic, partition), row.at);
  }
  return twin && { twin, episodes: [...episodes.values()] };
}

function write(episodes: Map<string, EpisodeDocument>, placed: PlacedChange[], partition: string, at: Date): void {
  for (const one of foldEpisodeChanges(placed, partition, -1, at).writes) {
    if (one.kind === 'insert') {
      episodes.set(one.document._id, { ...one.document, timeline: unnumbered(one.document.timeline) });
      continue;
    }
    const before = episodes.get(one.id);
    if (before)
      episodes.set(one.id, { ...before, ...one.set, timeline: [...before.timeline, ...unnumbered(one.entries)] });
  }
}

function unnumbered(timeline: EpisodeDocument['timeline']): EpisodeDocument['timeline'] {
  return timeline.map((entry) => ({ ...entry, sequence: 0 }));
}
