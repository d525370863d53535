import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../../twin/database.js';
import type { EpisodeEventDocument } from '../../twin/documents.js';
import { ApiError } from '../api-error.js';
import { apiErrorOf } from '../error-format.js';
import {
  type AnomalyFeed,
  type AnomalyReader,
  erasedAmong,
  type LiveEvent,
  liveEvent,
  readEvents,
  replayEvents,
} from './anomaly-feed.js';
import type { Interest } from './fan-out.js';
import { type EventPlace, advanced, eventCursor, headOf, partitionsBehind } from './heads.js';
import type { ItemSource } from './item-stream.js';
import type { Resync, ResyncReason } from './resync.js';

export type AnomalyItem = LiveEvent | Resync;

/** Events that may wait for a subscriber that is attached; one more and it is closed. */
export const LONGEST_QUEUE = 1_000;
/** Events in one read of the collection. */
const READ = 500;
/** Pause before the collection is read again after MongoDB was away, ms. */
const PAUSE = 500;
/** Pause until the feed has seen what the cursor counts already, ms. */
const AHEAD = 50;

export interface AnomalyOptions {
  readonly interest: Interest<EpisodeEventDocument>;
  /** Where the subscriber was; null to begin now. */
  readonly after: EventPlace | null;
  /** The store has had fewer events than the cursor counts: it was set back. */
  readonly setBack?: boolean;
  readonly notify: () => void;
}

/**
 * One subscriber. It reads the collection at its own pace until it has seen what the feed has seen, and attaches in the
 * same breath: what the feed offers from then on is what comes next. Nothing is left out and nothing comes twice.
 */
export class AnomalySubscription implements ItemSource<AnomalyItem>, AnomalyReader {
  private queue: AnomalyItem[] = [];
  private seen: EventPlace;
  private attached = false;
  private closed = false;
  private slow = false;
  private reset = false;

  constructor(
    private readonly feed: AnomalyFeed,
    private readonly database: Database,
    private readonly options: AnomalyOptions,
  ) {
    this.seen = options.after ?? feed.at;
    this.reset = options.setBack ?? false;
  }

  async take(): Promise<AnomalyItem | null> {
    for (;;) {
      if (this.slow) throw new ApiError('TOO_SLOW');
      const item = this.queue.shift();
      if (item) return item;
      if (this.attached || this.closed) return null;
      await this.readOn();
    }
  }

  offer(item: LiveEvent): void {
    if (this.queue.length >= LONGEST_QUEUE) this.giveUp();
    else this.queue.push(item);
    this.options.notify();
  }

  fellBehind(before: EventPlace, reset: boolean): void {
    this.seen = before;
    this.attached = false;
    this.reset ||= reset;
    this.options.notify();
  }

  close(): void {
    this.closed = true;
    this.queue = [];
    this.feed.detach(this);
    this.feed.use.leave();
  }

  /** The subscriber has its last cursor; what waited for it is read again when it comes back. */
  private giveUp(): void {
    this.slow = true;
    this.queue = [];
    this.feed.detach(this);
  }

  /** Reads one step towards the feed, or attaches to it. Waits while MongoDB is away. */
  private async readOn(): Promise<void> {
    try {
      await this.step();
    } catch (fault) {
      const error = apiErrorOf(fault);
      if (!error.retriable) throw error;
      await delay(PAUSE);
    }
  }

  private async step(): Promise<void> {
    const target = this.feed.at;
    if (this.reset || target.storeId !== this.seen.storeId) return this.resync('STORE_CHANGED', target);
    const [partition] = partitionsBehind(this.seen.heads, target.heads);
    if (partition !== undefined) return this.readPartition(partition, headOf(target.heads, partition));
    // A cursor that another process gave may be ahead of this feed, which then follows within moments.
    if (partitionsBehind(target.heads, this.seen.heads).length > 0) return delay(AHEAD);
    this.attached = true;
    this.feed.attach(this, this.options.interest);
  }

  private async readPartition(partition: string, to: number): Promise<void> {
    const from = headOf(this.seen.heads, partition);
    const events = await readEvents(this.database, partition, from, to, READ);
    for (const event of events) {
      await this.expect(partition, event.sequence);
      this.pass(event);
    }
    if (events.length < READ) await this.expect(partition, to + 1);
  }

  private pass(event: EpisodeEventDocument, erased = false): void {
    this.see(event.partition, event.sequence);
    if (!this.closed && !erased && this.options.interest.matches(event)) this.queue.push(liveEvent(event, this.seen));
  }

  /** Every event before `sequence` must have been seen: those that were removed are looked for in the stream, and told unless their car was erased. */
  private async expect(partition: string, sequence: number): Promise<void> {
    const from = headOf(this.seen.heads, partition);
    if (from + 1 >= sequence) return;
    const { token } = this.seen;
    const again = token === null ? [] : await replayEvents(this.database, token, partition, from, sequence - 1);
    if (again.length === sequence - 1 - from) {
      const isErased = await erasedAmong(this.database, again);
      return again.forEach((event) => this.pass(event, isErased(event)));
    }
    this.see(partition, sequence - 1);
    this.resync('EVENTS_GONE', this.seen);
  }

  private see(partition: string, sequence: number): void {
    this.seen = { ...this.seen, heads: advanced(this.seen.heads, partition, sequence) };
  }

  private resync(reason: ResyncReason, place: EventPlace): void {
    this.seen = place;
    this.reset = false;
    this.queue.push({ reason, cursor: eventCursor(place) });
  }
}
