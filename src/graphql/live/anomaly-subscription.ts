import type { Database } from '../../twin/database.js';
import type { EpisodeEventDocument } from '../../twin/documents.js';
import { ApiError } from '../api-error.js';
import { apiErrorOf } from '../error-format.js';
import { type AnomalyFeed, type AnomalyReader, readEvents, type SeenEvent } from './anomaly-feed.js';
import { type EventPlace, advanced, eventCursor, headOf, partitionsBehind } from './heads.js';
import type { ItemSource } from './item-stream.js';
import type { Resync, ResyncReason } from './resync.js';

/** An event as a subscriber gets it; the cursor is made when it is asked for. */
export interface LiveEvent {
  readonly event: EpisodeEventDocument;
  readonly cursor: string;
}

export type AnomalyItem = LiveEvent | Resync;

/** Events that may wait for a subscriber that is attached; one more and it is closed. */
export const LONGEST_QUEUE = 1_000;
/** Events in one read of the collection. */
const READ = 500;
/** Pause before the collection is read again after MongoDB was away, ms. */
const PAUSE = 500;

export interface AnomalyOptions {
  readonly matches: (event: EpisodeEventDocument) => boolean;
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
  /** Whether the cursor counts events that the feed has not offered yet. */
  private ahead = false;
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

  offer({ event, heads }: SeenEvent): void {
    const { partition, sequence } = event;
    // A cursor that another process gave may be ahead of this feed.
    if (sequence <= headOf(this.seen.heads, partition)) return;
    this.seen = { ...this.seen, heads: this.ahead ? advanced(this.seen.heads, partition, sequence) : heads };
    this.ahead &&= partitionsBehind(heads, this.seen.heads).length > 0;
    this.enqueue(event);
  }

  fellBehind(reset: boolean): void {
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

  private enqueue(event: EpisodeEventDocument): void {
    if (!this.options.matches(event)) return;
    if (this.attached && this.queue.length >= LONGEST_QUEUE) this.giveUp();
    else this.queue.push(liveEvent(event, this.seen));
    this.options.notify();
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
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }

  private async step(): Promise<void> {
    const target = this.feed.at;
    if (this.reset || target.storeId !== this.seen.storeId) return this.resync('STORE_CHANGED', target);
    const [partition] = partitionsBehind(this.seen.heads, target.heads);
    if (partition !== undefined) return this.readPartition(partition, headOf(target.heads, partition));
    this.ahead = partitionsBehind(target.heads, this.seen.heads).length > 0;
    this.attached = true;
    this.feed.attach(this);
  }

  private async readPartition(partition: string, to: number): Promise<void> {
    const from = headOf(this.seen.heads, partition);
    const events = await readEvents(this.database, partition, from, to, READ);
    for (const event of events) {
      this.expect(partition, event.sequence);
      this.see(partition, event.sequence);
      this.enqueue(event);
    }
    if (events.length < READ) this.expect(partition, to + 1);
  }

  /** Every event before `sequence` must have been seen: retention may have removed some. */
  private expect(partition: string, sequence: number): void {
    if (headOf(this.seen.heads, partition) + 1 >= sequence) return;
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

function liveEvent(event: EpisodeEventDocument, seen: EventPlace): LiveEvent {
  return {
    event,
    get cursor() {
      return eventCursor(seen);
    },
  };
}
