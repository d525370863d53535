import type { ChangeStreamDocument, ResumeToken } from 'mongodb';
import { READ_LIMIT } from '../../fleet/fleet.js';
import type { Database } from '../../twin/database.js';
import type { EpisodeEventDocument } from '../../twin/documents.js';
import { eventId } from '../../twin/ids.js';
import { ChangeLoop } from './change-loop.js';
import { REPLAY_WAIT, replayed } from './change-replay.js';
import { FanOut, type Interest } from './fan-out.js';
import { FeedUse } from './feed-use.js';
import { type EventPlace, advanced, eventCursor, headOf, partitionsBehind } from './heads.js';
import { tokenOf, tokenText } from './resume-token.js';
import { readPlace } from './store-place.js';

/** Before everything that was recorded. */
const NEVER = new Date(-8.64e15);

/** An event as a subscriber gets it; the cursor is made when it is first asked for. */
export interface LiveEvent {
  readonly event: EpisodeEventDocument;
  readonly cursor: string;
}

/** Who reads along. All calls are synchronous: between them and the feed's state there is no gap. */
export interface AnomalyReader {
  /** An event that it is interested in; it has seen all that came before, whether it was told of it or not. */
  offer(seen: LiveEvent): void;
  /**
   * The feed went on without offering: read what is missing out of the collection and attach again.
   * @param before what the reader has seen
   * @param reset the history is another one than before
   */
  fellBehind(before: EventPlace, reset: boolean): void;
}

/** A gap of at most this many events is read once for everybody; a longer one each reader reads at its own pace. */
const SHORT_GAP = 200;
/** How often the collections are asked whether the stream kept something back, ms. */
const RECHECK = 5_000;
/** How long a change stream may be read for events that the collection does not have any more, ms. */
const REPLAY = 5_000;

/**
 * The events of all partitions, once per process. Live ones come from one change stream; what counts is the sequence in
 * each partition: an event that was seen is not offered again, and a gap is filled from the collection. So a stream that
 * is opened anew, or silently left something out, loses nothing. The token is for what retention has taken out of the
 * collection while the stream still has it.
 */
export class AnomalyFeed {
  readonly use: FeedUse;
  private readonly readers = new FanOut<EpisodeEventDocument, AnomalyReader>();
  private place: EventPlace | null = null;
  private checkedAt = 0;

  constructor(
    private readonly database: Database,
    private readonly report: (fault: unknown) => void,
    linger?: number,
  ) {
    this.use = new FeedUse(() => this.start(), linger);
  }

  /** How far the feed is. @throws Error before it stands */
  get at(): EventPlace {
    if (!this.place) throw new Error('The feed does not stand yet');
    return this.place;
  }

  attach(reader: AnomalyReader, interest: Interest<EpisodeEventDocument>): void {
    this.readers.add(reader, interest);
  }

  detach(reader: AnomalyReader): void {
    this.readers.remove(reader);
  }

  private start(): ChangeLoop<EpisodeEventDocument> {
    const inserts = [{ $match: { operationType: { $in: ['insert', 'invalidate'] } } }];
    const loop = new ChangeLoop<EpisodeEventDocument>(() => this.database.collections.events.watch(inserts), {
      opened: (_resumed, at) => this.catchUp(at),
      change: (change) => this.changed(change),
      quiet: () => this.recheck(),
      broken: (fault) => this.report(fault),
    });
    loop.start();
    return loop;
  }

  private async changed(change: ChangeStreamDocument<EpisodeEventDocument>): Promise<void> {
    if (change.operationType === 'insert') await this.seen(change.fullDocument, tokenText(change._id));
    await this.recheck();
  }

  private async seen(event: EpisodeEventDocument, token: string | null): Promise<void> {
    const head = headOf(this.at.heads, event.partition);
    if (event.sequence <= head) return;
    if (event.sequence > head + 1) await this.fill(event.partition, head, event.sequence - 1);
    this.offer(event, token);
  }

  private async recheck(): Promise<void> {
    if (performance.now() - this.checkedAt > RECHECK) await this.catchUp();
  }

  /** Compares with what the store says was written; the first time, that is where the feed begins. */
  private async catchUp(at?: ResumeToken): Promise<void> {
    const read = await readPlace(this.database);
    // The stream stood before the heads were read: what lies beyond them comes behind its token.
    const now = { ...read, token: tokenText(at) ?? this.place?.token ?? null };
    this.checkedAt = performance.now();
    const before = this.place;
    if (before?.storeId === now.storeId && partitionsBehind(now.heads, before.heads).length === 0)
      for (const partition of partitionsBehind(before.heads, now.heads))
        await this.fill(partition, headOf(before.heads, partition), headOf(now.heads, partition));
    else this.jump(now, true);
    this.use.stands();
  }

  /** Offers the events in (from, to] of a partition, or leaves them to the readers. */
  private async fill(partition: string, from: number, to: number): Promise<void> {
    const events = to - from <= SHORT_GAP ? await readEvents(this.database, partition, from, to, SHORT_GAP) : [];
    if (events.length === to - from) for (const event of events) this.offer(event);
    else this.jump({ ...this.at, heads: advanced(this.at.heads, partition, to) }, false);
  }

  /** Nothing is offered twice, even by a loop that ends while the next one begins. */
  private offer(event: EpisodeEventDocument, token: string | null = this.at.token): void {
    if (event.sequence <= headOf(this.at.heads, event.partition)) return;
    const heads = advanced(this.at.heads, event.partition, event.sequence);
    this.place = { ...this.at, heads, token: token ?? this.at.token };
    const seen = liveEvent(event, this.place);
    this.readers.tell(event.car, event, (reader) => reader.offer(seen));
  }

  private jump(place: EventPlace, reset: boolean): void {
    const before = this.place ?? place;
    this.place = place;
    for (const reader of this.readers.all) {
      this.readers.remove(reader);
      reader.fellBehind(before, reset);
    }
  }
}

/** Subscribers that are told of the same event share its cursor. */
export function liveEvent(event: EpisodeEventDocument, seen: EventPlace): LiveEvent {
  let cursor: string | null = null;
  return {
    event,
    get cursor() {
      return (cursor ??= eventCursor(seen));
    },
  };
}

/** Up to `limit` events in (from, to] of a partition, in order. */
export function readEvents(
  { collections }: Database,
  partition: string,
  from: number,
  to: number,
  limit: number,
): Promise<EpisodeEventDocument[]> {
  const ids = { $gt: eventId(partition, from), $lte: eventId(partition, to) };
  return collections.events.find({ _id: ids }, { maxTimeMS: READ_LIMIT }).sort({ _id: 1 }).limit(limit).toArray();
}

/** The events in (from, to] of a partition behind a token, in order, as far as the change stream still has them. */
export async function replayEvents(
  { collections }: Database,
  token: string,
  partition: string,
  from: number,
  to: number,
): Promise<EpisodeEventDocument[]> {
  const events = new Map<number, EpisodeEventDocument>();
  const stream = collections.events.watch([], { resumeAfter: tokenOf(token), maxAwaitTimeMS: REPLAY_WAIT });
  await replayed(
    stream,
    (change) => {
      const event = change.operationType === 'insert' ? change.fullDocument : null;
      if (event?.partition !== partition) return 'more';
      if (event.sequence > from && event.sequence <= to) events.set(event.sequence, event);
      return event.sequence >= to ? 'enough' : 'more';
    },
    { within: REPLAY },
  );
  return [...events.values()].sort((one, other) => one.sequence - other.sequence);
}

/**
 * Which of these events went with a car that was erased: the change stream has them still. What was recorded after the
 * erase belongs to a car that came back.
 */
export async function erasedAmong(
  { collections }: Database,
  events: readonly EpisodeEventDocument[],
): Promise<(event: EpisodeEventDocument) => boolean> {
  const cars = [...new Set(events.map(({ car }) => car))];
  const tombstones = await collections.tombstones.find({ _id: { $in: cars } }, { maxTimeMS: READ_LIMIT }).toArray();
  const erasedAt = new Map(tombstones.map((one) => [one._id, one.erasedAt]));
  return ({ car, recordedAt }) => recordedAt <= (erasedAt.get(car) ?? NEVER);
}
