import { Inject, Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import type { Database } from '../../twin/database.js';
import { DATABASE } from '../../twin/twin.module.js';
import { AnomalyFeed } from './anomaly-feed.js';
import { CarFeed } from './car-feed.js';
import type { ItemStream } from './item-stream.js';

/** The two feeds of this process and everyone who listens to them. */
@Injectable()
export class LiveFeeds implements OnModuleDestroy {
  readonly anomalies: AnomalyFeed;
  readonly cars: CarFeed;
  private readonly streams = new Set<ItemStream<unknown>>();
  private readonly log = new Logger('LiveFeeds');

  constructor(@Inject(DATABASE) database: Database) {
    const report = (fault: unknown) => this.log.warn(`A change stream is opened again: ${String(fault)}`);
    this.anomalies = new AnomalyFeed(database, report);
    this.cars = new CarFeed(database, report);
  }

  add(stream: ItemStream<unknown>): void {
    this.streams.add(stream);
  }

  remove(stream: ItemStream<unknown>): void {
    this.streams.delete(stream);
  }

  get subscribers(): number {
    return this.streams.size;
  }

  async onModuleDestroy(): Promise<void> {
    for (const stream of this.streams) stream.end();
    await Promise.all([this.anomalies.use.stop(), this.cars.use.stop()]);
  }
}
