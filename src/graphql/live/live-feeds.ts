import { Inject, Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import type { Viewer } from '../../access/viewer.js';
import type { Database } from '../../twin/database.js';
import { DATABASE } from '../../twin/twin.module.js';
import { ApiError } from '../api-error.js';
import { AnomalyFeed } from './anomaly-feed.js';
import { CarFeed } from './car-feed.js';
import type { Fleet } from '../../fleet/fleet.js';
import { FLEET } from '../../fleet/fleet.module.js';
import { unasked } from '../../fleet/joint-answer.js';
import { FleetTicker } from './fleet-ticker.js';
import type { ItemStream } from './item-stream.js';

/** Token: subscriptions that one client may have at a time. */
export const MOST_SUBSCRIPTIONS = Symbol('MostSubscriptions');

/** A client that does not take what it is sent, for this long, is cut off, ms. */
export const STALLED = 30_000;
/** How often that is looked for, ms. */
const SWEEP = 5_000;

/** The feeds of this process and everyone who listens to them. */
@Injectable()
export class LiveFeeds implements OnModuleDestroy {
  readonly anomalies: AnomalyFeed;
  readonly cars: CarFeed;
  readonly fleet: FleetTicker;
  private readonly streams = new Map<ItemStream<unknown>, () => void>();
  /** By client, subscriptions that it has or that are on their way. */
  private readonly byName = new Map<string, number>();
  private readonly log = new Logger('LiveFeeds');
  private readonly sweeper: NodeJS.Timeout;

  constructor(
    @Inject(DATABASE) database: Database,
    @Inject(MOST_SUBSCRIPTIONS) private readonly most: number,
    @Inject(FLEET) fleet: Fleet,
  ) {
    const report = (fault: unknown) => this.log.warn(`A change stream is opened again: ${String(fault)}`);
    this.anomalies = new AnomalyFeed(database, report);
    this.cars = new CarFeed(database, report);
    this.fleet = new FleetTicker(
      (within) => unasked(() => fleet.summaryNow({ within })),
      (fault) => this.log.warn(`The fleet could not be read: ${String(fault)}`),
    );
    this.sweeper = setInterval(() => this.sweep(performance.now()), SWEEP);
    this.sweeper.unref();
  }

  /**
   * Counts a subscription before anything is waited for, so that many at once do not pass the limit together.
   * @returns gives it back, once however often it is called
   * @throws ApiError TOO_MANY_SUBSCRIPTIONS
   */
  admit({ name }: Viewer): () => void {
    const admitted = this.byName.get(name) ?? 0;
    if (admitted >= this.most) throw new ApiError('TOO_MANY_SUBSCRIPTIONS');
    this.byName.set(name, admitted + 1);
    let given = false;
    return () => {
      if (given) return;
      given = true;
      const left = (this.byName.get(name) ?? 0) - 1;
      if (left > 0) this.byName.set(name, left);
      else this.byName.delete(name);
    };
  }

  /** @param cut ends its connection, however full that is */
  add(stream: ItemStream<unknown>, cut: () => void): void {
    this.streams.set(stream, cut);
  }

  remove(stream: ItemStream<unknown>): void {
    this.streams.delete(stream);
  }

  get subscribers(): number {
    return this.streams.size;
  }

  /** Cuts off who has had an item in hand for too long: it does not read, and would hold its connection for ever. */
  sweep(now: number): void {
    for (const [stream, cut] of this.streams) {
      if (stream.givenAt === null || now - stream.givenAt < STALLED) continue;
      stream.end();
      cut();
    }
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.sweeper);
    for (const stream of this.streams.keys()) stream.end();
    await Promise.all([this.anomalies.use.stop(), this.cars.use.stop()]);
  }
}
