import type { EpisodeDocument, EpisodeEventDocument, PositionDocument, Twin } from './documents.js';
import type { HandlingDocument } from './handling-documents.js';
import { eventId } from './ids.js';

/** What of an episode goes into an event of its handling. */
export type HandledEpisode = Pick<EpisodeDocument, '_id' | 'kind' | 'severity' | 'openedAt' | 'peak' | 'fleet'>;

/** One event for each document whose episode is there still, numbered on from the position's sequence. */
export function handlingEvents(
  documents: readonly HandlingDocument[],
  episodes: ReadonlyMap<string, HandledEpisode>,
  { _id: partition, next: offset, eventSequence }: PositionDocument,
  recordedAt: Date,
): EpisodeEventDocument[] {
  const events: EpisodeEventDocument[] = [];
  for (const { car, episode: id, entry } of documents) {
    const episode = episodes.get(id);
    if (!episode) continue;
    const { event, at, ...handling } = entry;
    const { kind, severity, openedAt, peak, fleet } = episode;
    const sequence = eventSequence + events.length + 1;
    const told = { event, episode: id, car, kind, severity, value: null, ratio: peak?.ratio ?? 0, at, openedAt };
    const place = { _id: eventId(partition, sequence), partition, sequence, offset };
    const cause = { topSignals: [], model: '', ...(fleet === undefined ? {} : { fleet }) };
    events.push({ ...place, ...told, ...cause, recordedAt, handling });
  }
  return events;
}

/** The twin with what its open episodes have to know: until when what happens to them is not to reach people. */
export function snoozed(twin: Twin, { episode: id, entry }: HandlingDocument): Twin {
  if (entry.event !== 'SNOOZED') return twin;
  const open = Object.values(twin.openEpisodes).find((one) => one.id === id);
  const kind = id.split('/')[1] as keyof Twin['openEpisodes'];
  if (!open) return twin;
  const { snoozedUntil: _, ...awake } = open;
  const after = entry.snoozedUntil ? { ...awake, snoozedUntil: entry.snoozedUntil } : awake;
  return { ...twin, openEpisodes: { ...twin.openEpisodes, [kind]: after } };
}
