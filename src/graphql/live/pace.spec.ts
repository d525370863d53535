import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Pace } from './pace.js';

describe('Pace', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('lets one item through, then wakes once the next may come', () => {
    const wake = vi.fn();
    const pace = new Pace(2, wake, Date.now);
    expect(pace.free).toBe(true);
    pace.taken();
    expect([pace.free, pace.free]).toEqual([false, false]);
    vi.advanceTimersByTime(499);
    expect([wake.mock.calls.length, pace.free]).toEqual([0, false]);
    vi.advanceTimersByTime(3);
    expect([wake.mock.calls.length, pace.free]).toEqual([1, true]);
  });

  it('does not wake who has gone, and knows no limit without a rate', () => {
    const wake = vi.fn();
    const pace = new Pace(1, wake, Date.now);
    pace.taken();
    expect(pace.free).toBe(false);
    pace.stop();
    vi.advanceTimersByTime(5_000);
    expect(wake).not.toHaveBeenCalled();
    const free = new Pace(null, wake, Date.now);
    free.taken();
    expect(free.free).toBe(true);
  });
});
