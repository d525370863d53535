import { Inject, Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import type { Viewer } from '../../access/viewer.js';
import type { Database } from '../../twin/database.js';
import { DATABASE } from '../../twin/twin.module.js';
import { ApiError } from '../api-error.js';
import { AnomalyFeed } from './anomaly-feed.js';
import { CarFeed } from './car-feed.js';
import type { ItemStream } from './item-stream.js';

/** Token: subscriptions that one client may have at a time. */
export const MOST_SUBSCRIPTIONS = Symbol('MostSubscriptions');

/** The two feeds of this process and everyone who listens to them. */
@Injectable()
export class LiveFeeds implements OnModuleDestroy {
  readonly anomalies: AnomalyFeed;
  readonly cars: CarFeed;
  private readonly streams = new Map<ItemStream<unknown>, string>();
  private readonly byName = new Map<string, number>();
  private readonly log = new Logger('LiveFeeds');

  constructor(
    @Inject(DATABASE) database: Database,
    @Inject(MOST_SUBSCRIPTIONS) private readonly most: number,
  ) {
    const report = (fault: unknown) => this.log.warn(`A change stream is opened again: ${String(fault)}`);
    this.anomalies = new AnomalyFeed(database, report);
    this.cars = new CarFeed(database, report);
  }

  /** @throws ApiError TOO_MANY_SUBSCRIPTIONS */
  admit({ name }: Viewer): void {
    if ((this.byName.get(name) ?? 0) >= this.most) throw new ApiError('TOO_MANY_SUBSCRIPTIONS');
  }

  add(stream: ItemStream<unknown>, { name }: Viewer): void {
    this.streams.set(stream, name);
    this.byName.set(name, (this.byName.get(name) ?? 0) + 1);
  }

  remove(stream: ItemStream<unknown>): void {
    const name = this.streams.get(stream);
    if (name === undefined) return;
    this.streams.delete(stream);
    const left = (this.byName.get(name) ?? 0) - 1;
    if (left > 0) this.byName.set(name, left);
    else this.byName.delete(name);
  }

  get subscribers(): number {
    return this.streams.size;
  }

  async onModuleDestroy(): Promise<void> {
    for (const stream of this.streams.keys()) stream.end();
    await Promise.all([this.anomalies.use.stop(), this.cars.use.stop()]);
  }
}
