import type { EpisodeDocument, EpisodeEventDocument, TimelineEntry } from './documents.js';
import type { EpisodeChange } from './episode-step.js';
import { eventId } from './ids.js';

/** Entries that an episode's timeline keeps; later ones are only counted. */
export const TIMELINE_CAP = 200;

/** A change with the place that caused it. */
export interface PlacedChange {
  readonly car: string;
  readonly change: EpisodeChange;
  /** Offset of the record; `next` of the partition for what a timer did. */
  readonly offset: number;
  /** The fleet that the car belongs to. */
  readonly fleet?: string | undefined;
}

type OwnFields = Omit<EpisodeDocument, '_id' | 'timeline' | 'handling'>;

/** What one batch writes into one episode: a new document, or ingest's own fields and the new timeline entries. */
export type EpisodeWrite =
  | { readonly kind: 'insert'; readonly document: EpisodeDocument }
  | {
      readonly kind: 'update';
      readonly id: string;
      readonly set: Partial<OwnFields>;
      readonly entries: TimelineEntry[];
    };

export interface EpisodeWrites {
  readonly writes: readonly EpisodeWrite[];
  readonly events: readonly EpisodeEventDocument[];
  /** The partition's event sequence after them. */
  readonly eventSequence: number;
}

/**
 * Folds the changes of one batch, in order, into one write per episode and one outbox document per event.
 * @param partition id of the position document
 * @param eventSequence the partition's sequence before the batch
 */
export function foldEpisodeChanges(
  placed: readonly PlacedChange[],
  partition: string,
  eventSequence: number,
  now: Date,
): EpisodeWrites {
  const writes = new Map<string, EpisodeWrite>();
  const events: EpisodeEventDocument[] = [];
  let sequence = eventSequence;
  for (const one of placed) {
    if (one.change.event) sequence += 1;
    const entry = one.change.event ? entryOf(one, partition, sequence) : null;
    if (entry) events.push(eventOf(one, entry, now));
    const before = writes.get(one.change.id);
    writes.set(one.change.id, before ? extendWrite(before, one, entry) : firstWrite(one, entry));
  }
  return { writes: [...writes.values()], events, eventSequence: sequence };
}

function entryOf({ change, offset }: PlacedChange, partition: string, sequence: number): TimelineEntry {
  const { event, at, severity, ratio } = change;
  if (event === null) throw new TypeError('a change without an event has no timeline entry');
  return { event, at, severity, ratio, partition, offset, sequence };
}

function eventOf({ car, change, offset, fleet }: PlacedChange, entry: TimelineEntry, now: Date): EpisodeEventDocument {
  const { partition, sequence, event, severity, ratio, at } = entry;
  const { id: episode, kind, score } = change;
  return {
    _id: eventId(partition, sequence),
    partition,
    sequence,
    offset,
    event,
    episode,
    car,
    kind,
    severity,
    value: score?.value ?? null,
    ratio,
    at,
    openedAt: openedAtOf(episode),
    topSignals: score?.topSignals ?? [],
    model: score?.model ?? '',
    recordedAt: now,
    ...(fleet === undefined ? {} : { fleet }),
    ...(change.snoozedUntil && change.snoozedUntil > now ? { snoozedUntil: change.snoozedUntil } : {}),
  };
}

/** The episode's id ends with it. */
function openedAtOf(id: string): Date {
  return new Date(id.slice(id.lastIndexOf('/') + 1));
}

function firstWrite(one: PlacedChange, entry: TimelineEntry | null): EpisodeWrite {
  const { car, change, fleet } = one;
  if (change.event !== 'OPENED' || !entry)
    return { kind: 'update', id: change.id, set: setOf(one), entries: kept(one, entry) };
  const unjudged = { peak: null, topSignals: [], model: '' };
  const own = { car, kind: change.kind, openedAt: openedAtOf(change.id), ...(fleet === undefined ? {} : { fleet }) };
  const document = { ...own, ...unjudged, ...setOf(one), timeline: [entry] };
  return { kind: 'insert', document: { _id: change.id, ...document } as EpisodeDocument };
}

function extendWrite(before: EpisodeWrite, one: PlacedChange, entry: TimelineEntry | null): EpisodeWrite {
  const entries = kept(one, entry);
  if (before.kind === 'update')
    return { ...before, set: { ...before.set, ...setOf(one) }, entries: [...before.entries, ...entries] };
  const { document } = before;
  return { kind: 'insert', document: { ...document, ...setOf(one), timeline: [...document.timeline, ...entries] } };
}

function kept({ change }: PlacedChange, entry: TimelineEntry | null): TimelineEntry[] {
  return entry && change.entries <= TIMELINE_CAP ? [entry] : [];
}

function setOf({ change }: PlacedChange): Partial<OwnFields> {
  const cleared = change.event === 'CLEARED';
  const { score } = change;
  return {
    status: cleared ? 'CLEARED' : 'OPEN',
    severity: change.severity,
    updatedAt: change.at,
    clearedAt: cleared ? change.at : null,
    readings: change.readings,
    timelineDropped: Math.max(0, change.entries - TIMELINE_CAP),
    ...(change.peak && score && !cleared
      ? {
          peak: { value: score.value, ratio: change.ratio, at: change.at },
          topSignals: score.topSignals,
          model: score.model,
        }
      : {}),
  };
}
