import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DatedSummary } from '../../fleet/fleet.js';
import { FleetTicker } from './fleet-ticker.js';

const summary = (cars: number) => ({ cars, asOf: cars }) as DatedSummary;

describe('FleetTicker', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('reads once for all of one scope and interval, at once and then at every interval', async () => {
    let reads = 0;
    const ticker = new FleetTicker(async () => summary(++reads), vi.fn());
    const [one, other] = [ticker.subscribe(null, 2, vi.fn()), ticker.subscribe(null, 2, vi.fn())];
    await vi.advanceTimersByTimeAsync(0);
    expect([await one.take(), await other.take(), await one.take()]).toEqual([summary(1), summary(1), null]);
    const late = ticker.subscribe(null, 2, vi.fn());
    expect(await late.take()).toEqual(summary(1));
    await vi.advanceTimersByTimeAsync(4_000);
    expect([reads, await one.take()]).toEqual([3, summary(3)]);
    ticker.subscribe(['north'], 2, vi.fn());
    await vi.advanceTimersByTimeAsync(0);
    expect(reads).toBe(4);
  });

  it('stops reading when everybody has gone', async () => {
    const read = vi.fn(async () => summary(1));
    const ticker = new FleetTicker(read, vi.fn());
    const [one, other] = [ticker.subscribe(null, 1, vi.fn()), ticker.subscribe(null, 1, vi.fn())];
    await vi.advanceTimersByTimeAsync(0);
    one.close();
    await vi.advanceTimersByTimeAsync(1_000);
    other.close();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(read).toHaveBeenCalledTimes(2);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('goes on after a read that failed, and never reads twice at a time', async () => {
    const report = vi.fn();
    let finish: (value: DatedSummary) => void = () => {};
    const read = vi
      .fn<() => Promise<DatedSummary>>()
      .mockRejectedValueOnce(new Error('away'))
      .mockImplementation(() => new Promise((resolve) => (finish = resolve)));
    const notify = vi.fn();
    const one = new FleetTicker(read, report).subscribe(null, 1, notify);
    await vi.advanceTimersByTimeAsync(5_500);
    expect([report.mock.calls.length, read.mock.calls.length, notify.mock.calls.length]).toEqual([1, 2, 0]);
    finish(summary(7));
    await vi.advanceTimersByTimeAsync(0);
    expect(await one.take()).toEqual(summary(7));
    expect(notify).toHaveBeenCalledTimes(1);
    one.close();
  });
});
