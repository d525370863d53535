import type { DatedSummary } from '../../fleet/fleet.js';
import type { ItemSource } from './item-stream.js';

type Within = readonly string[] | null;

interface Ticker {
  readonly timer: NodeJS.Timeout;
  readonly subscriptions: Set<FleetSubscription>;
  latest: DatedSummary | null;
  reading: boolean;
}

/** Reads the fleet at even intervals, once for all who see the same fleets and want the same interval. */
export class FleetTicker {
  private readonly tickers = new Map<string, Ticker>();

  constructor(
    private readonly read: (within: Within) => Promise<DatedSummary>,
    private readonly report: (fault: unknown) => void,
  ) {}

  /** @param every s */
  subscribe(within: Within, every: number, notify: () => void): FleetSubscription {
    const key = JSON.stringify([every, within && [...within].sort()]);
    const ticker = this.tickers.get(key) ?? this.started(key, within, every);
    const subscription = new FleetSubscription(notify, ticker.latest, () => {
      ticker.subscriptions.delete(subscription);
      if (ticker.subscriptions.size > 0) return;
      clearInterval(ticker.timer);
      this.tickers.delete(key);
    });
    ticker.subscriptions.add(subscription);
    return subscription;
  }

  private started(key: string, within: Within, every: number): Ticker {
    const tick = () => void this.tick(ticker, within);
    const timer = setInterval(tick, every * 1_000);
    const ticker: Ticker = { timer, subscriptions: new Set(), latest: null, reading: false };
    this.tickers.set(key, ticker);
    tick();
    return ticker;
  }

  /** What cannot be read now is read at the next tick; a read that takes longer than the interval is not overtaken. */
  private async tick(ticker: Ticker, within: Within): Promise<void> {
    if (ticker.reading) return;
    ticker.reading = true;
    try {
      ticker.latest = await this.read(within);
      for (const subscription of ticker.subscriptions) subscription.offer(ticker.latest);
    } catch (fault) {
      this.report(fault);
    } finally {
      ticker.reading = false;
    }
  }
}

/** One subscriber: a slow one gets the newest. */
export class FleetSubscription implements ItemSource<DatedSummary> {
  constructor(
    private readonly notify: () => void,
    private newest: DatedSummary | null,
    private readonly left: () => void,
  ) {}

  offer(summary: DatedSummary): void {
    this.newest = summary;
    this.notify();
  }

  async take(): Promise<DatedSummary | null> {
    const { newest } = this;
    this.newest = null;
    return newest;
  }

  close(): void {
    this.newest = null;
    this.left();
  }
}
