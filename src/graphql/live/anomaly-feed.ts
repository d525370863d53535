import type { ChangeStreamDocument } from 'mongodb';
import { READ_LIMIT } from '../../fleet/fleet.js';
import type { Database } from '../../twin/database.js';
import type { EpisodeEventDocument } from '../../twin/documents.js';
import { eventId } from '../../twin/ids.js';
import { ChangeLoop } from './change-loop.js';
import { FeedUse } from './feed-use.js';
import { type EventPlace, type Heads, advanced, headOf, partitionsBehind } from './heads.js';
import { readPlace } from './store-place.js';

/** An event with the heads that hold once it has been seen. */
export interface SeenEvent {
  readonly event: EpisodeEventDocument;
  readonly heads: Heads;
}

/** Who reads along. Both calls are synchronous: between them and the feed's state there is no gap. */
export interface AnomalyReader {
  offer(seen: SeenEvent): void;
  /**
   * The feed went on without offering: read what is missing out of the collection and attach again.
   * @param reset the history is another one than before
   */
  fellBehind(reset: boolean): void;
}

/** A gap of at most this many events is read once for everybody; a longer one each reader reads at its own pace. */
const SHORT_GAP = 200;
/** How often the collections are asked whether the stream kept something back, ms. */
const RECHECK = 5_000;

/**
 * The events of all partitions, once per process. Live ones come from one change stream; what counts is the sequence in
 * each partition: an event that was seen is not offered again, and a gap is filled from the collection. So a stream that
 * is opened anew, or silently left something out, loses nothing, and no resume token is needed.
 */
export class AnomalyFeed {
  readonly use: FeedUse;
  private readonly readers = new Set<AnomalyReader>();
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

  attach(reader: AnomalyReader): void {
    this.readers.add(reader);
  }

  detach(reader: AnomalyReader): void {
    this.readers.delete(reader);
  }

  private start(): ChangeLoop<EpisodeEventDocument> {
    const inserts = [{ $match: { operationType: { $in: ['insert', 'invalidate'] } } }];
    const loop = new ChangeLoop<EpisodeEventDocument>(() => this.database.collections.events.watch(inserts), {
      opened: () => this.catchUp(),
      change: (change) => this.changed(change),
      quiet: () => this.recheck(),
      broken: (fault) => this.report(fault),
    });
    loop.start();
    return loop;
  }

  private async changed(change: ChangeStreamDocument<EpisodeEventDocument>): Promise<void> {
    if (change.operationType === 'insert') await this.seen(change.fullDocument);
    await this.recheck();
  }

  private async seen(event: EpisodeEventDocument): Promise<void> {
    const head = headOf(this.at.heads, event.partition);
    if (event.sequence <= head) return;
    if (event.sequence > head + 1) await this.fill(event.partition, head, event.sequence - 1);
    this.offer(event);
  }

  private async recheck(): Promise<void> {
    if (performance.now() - this.checkedAt > RECHECK) await this.catchUp();
  }

  /** Compares with what the store says was written; the first time, that is where the feed begins. */
  private async catchUp(): Promise<void> {
    const now = await readPlace(this.database);
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
  private offer(event: EpisodeEventDocument): void {
    if (event.sequence <= headOf(this.at.heads, event.partition)) return;
    const heads = advanced(this.at.heads, event.partition, event.sequence);
    this.place = { ...this.at, heads };
    for (const reader of this.readers) reader.offer({ event, heads });
  }

  private jump(place: EventPlace, reset: boolean): void {
    this.place = place;
    const readers = [...this.readers];
    this.readers.clear();
    for (const reader of readers) reader.fellBehind(reset);
  }
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
