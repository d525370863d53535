import type { Twin } from '../../twin/documents.js';
import { AheadOfStream } from './ahead-of-stream.js';
import type { CarFeed, CarReader } from './car-feed.js';
import { type CarPlace, carCursor } from './car-place.js';
import { ConflatingQueue } from './conflating-queue.js';
import type { Interest } from './fan-out.js';
import type { ItemSource } from './item-stream.js';
import { Pace } from './pace.js';
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
  readonly interest: Interest<Twin>;
  /** Cars a second that it wants at most; null for all. */
  readonly maxRate: number | null;
  /** Where the subscriber was; null to begin now. */
  readonly after: CarPlace | null;
  readonly read: (ids: readonly string[]) => Promise<(Twin | null)[]>;
  readonly notify: () => void;
}

/** One subscriber to the states of cars: however slow it is, what it takes is the newest. */
export class CarSubscription implements ItemSource<CarItem>, CarReader {
  private readonly queue = new ConflatingQueue<Twin, CarPlace>(MOST_CARS);
  /** At most as many as waited when it came back: only those are read. */
  private readonly ahead = new AheadOfStream();
  private readonly pace: Pace;
  private resync: ResyncReason | null = null;

  constructor(
    private readonly feed: CarFeed,
    private readonly options: CarOptions,
  ) {
    this.pace = new Pace(options.maxRate, options.notify);
    if (options.after) this.comeBack(options.after);
    feed.attach(this, options.interest);
  }

  async take(): Promise<CarItem | null> {
    for (;;) {
      if (this.resync) return this.takeResync(this.resync);
      const waiting = this.queue.first();
      if (!waiting || !this.pace.free) return null;
      if (waiting.state) return this.takeState(waiting.id, waiting.state, waiting.since);
      await this.readStates();
    }
  }

  changed(twin: Twin, place: CarPlace): void {
    if (this.ahead.outruns(twin)) return;
    if (!this.queue.put(twin._id, twin, place)) this.missed('OVERFLOW');
    this.options.notify();
  }

  removed(id: string): void {
    this.queue.remove(id);
  }

  missed(reason: ResyncReason): void {
    this.queue.clear();
    this.ahead.clear();
    this.resync = reason;
    this.options.notify();
  }

  close(): void {
    this.queue.clear();
    this.pace.stop();
    this.feed.detach(this);
    this.feed.use.leave();
  }

  /** The cursor is made when it is asked for. */
  private takeState(id: string, twin: Twin, place: CarPlace): LiveCar {
    this.queue.remove(id);
    this.pace.taken();
    return {
      twin,
      get cursor() {
        return carCursor(place);
      },
    };
  }

  private takeResync(reason: ResyncReason): Resync {
    this.resync = null;
    return { reason, cursor: carCursor(this.feed.at) };
  }

  private comeBack(after: CarPlace): void {
    const changes = this.feed.since(after);
    if (!changes) this.resync = after.storeId === this.feed.at.storeId ? 'CURSOR_TOO_OLD' : 'STORE_CHANGED';
    const { cars } = this.options.interest;
    const mine = cars && new Set(cars);
    const wanted = (changes ?? []).filter(([id]) => !mine || mine.has(id));
    // The token of the cursor leads to all of them.
    if (!wanted.every(([id, at]) => this.queue.put(id, null, { ...after, at }))) this.missed('OVERFLOW');
  }

  /** A state that came meanwhile over the stream is kept: it is at least as new. */
  private async readStates(): Promise<void> {
    const ids = this.queue.unread(READ);
    const twins = await this.options.read(ids);
    const unread = new Set(this.queue.unread(READ));
    for (const [index, id] of ids.entries()) {
      const twin = twins[index];
      if (!unread.has(id)) continue;
      if (twin) this.ahead.read(twin);
      if (twin && this.options.interest.matches(twin)) this.queue.fill(id, twin);
      else this.queue.remove(id);
    }
  }
}
