import type { Twin } from '../../twin/documents.js';
import { type CarFeed, type CarPlace, type CarReader, carCursor } from './car-feed.js';
import { ConflatingQueue } from './conflating-queue.js';
import type { ItemSource } from './item-stream.js';
import type { Resync, ResyncReason } from './resync.js';

/** The newest state of a car. */
export interface LiveCar {
  readonly twin: Twin;
  readonly cursor: string;
}

export type CarItem = LiveCar | Resync;

/** Cars that may wait for a subscriber. */
export const MOST_CARS = 10_000;
/** Cars that are read at once when a subscriber comes back. */
const READ = 200;

export interface CarOptions {
  readonly matches: (twin: Twin) => boolean;
  /** False when the filter can be decided by the id alone and it says no. */
  readonly mayMatch: (id: string) => boolean;
  /** Where the subscriber was; null to begin now. */
  readonly after: CarPlace | null;
  readonly read: (ids: readonly string[]) => Promise<(Twin | null)[]>;
  readonly notify: () => void;
}

/** One subscriber to the states of cars: however slow it is, what it takes is the newest. */
export class CarSubscription implements ItemSource<CarItem>, CarReader {
  private readonly queue = new ConflatingQueue<Twin>(MOST_CARS);
  private resync: ResyncReason | null = null;

  constructor(
    private readonly feed: CarFeed,
    private readonly options: CarOptions,
  ) {
    if (options.after) this.comeBack(options.after);
    feed.attach(this);
  }

  async take(): Promise<CarItem | null> {
    for (;;) {
      if (this.resync) return this.takeResync(this.resync);
      const waiting = this.queue.first();
      if (!waiting) return null;
      if (waiting.state) return this.takeState(waiting.id, waiting.state, waiting.since);
      await this.readStates();
    }
  }

  changed(twin: Twin, at: string): void {
    if (!this.options.matches(twin)) this.queue.remove(twin._id);
    else if (!this.queue.put(twin._id, twin, at)) this.missed('OVERFLOW');
    this.options.notify();
  }

  removed(id: string): void {
    this.queue.remove(id);
  }

  missed(reason: ResyncReason): void {
    this.queue.clear();
    this.resync = reason;
    this.options.notify();
  }

  close(): void {
    this.queue.clear();
    this.feed.detach(this);
    this.feed.use.leave();
  }

  private takeState(id: string, twin: Twin, at: string): LiveCar {
    this.queue.remove(id);
    return { twin, cursor: carCursor({ storeId: this.feed.at.storeId, at }) };
  }

  private takeResync(reason: ResyncReason): Resync {
    this.resync = null;
    return { reason, cursor: carCursor(this.feed.at) };
  }

  private comeBack(after: CarPlace): void {
    const changes = this.feed.since(after);
    if (!changes) this.resync = after.storeId === this.feed.at.storeId ? 'CURSOR_TOO_OLD' : 'STORE_CHANGED';
    const wanted = (changes ?? []).filter(([id]) => this.options.mayMatch(id));
    if (!wanted.every(([id, at]) => this.queue.put(id, null, at))) this.missed('OVERFLOW');
  }

  /** A state that came meanwhile over the stream is kept: it is at least as new. */
  private async readStates(): Promise<void> {
    const ids = this.queue.unread(READ);
    const twins = await this.options.read(ids);
    const unread = new Set(this.queue.unread(READ));
    for (const [index, id] of ids.entries()) {
      const twin = twins[index];
      if (!unread.has(id)) continue;
      if (twin && this.options.matches(twin)) this.queue.put(id, twin, '');
      else this.queue.remove(id);
    }
  }
}
