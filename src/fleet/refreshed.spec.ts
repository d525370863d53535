import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OLDEST, RENEWED_AFTER, Refreshed, STANDING } from './refreshed.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Takes `took` ms each time and says how often it was asked. */
function question(took: number) {
  const asked: number[] = [];
  const compute = async (readAt: number) => {
    asked.push(readAt);
    await delayed(took);
    return asked.length;
  };
  return { asked, compute };
}
const delayed = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe('refreshed answers', () => {
  it('are computed once for all who ask at the same time', async () => {
    const [answers, { asked, compute }] = [new Refreshed(Date.now), question(100)];
    const all = Promise.all([answers.get('a', compute), answers.get('a', compute)]);
    await pass(100);
    expect(await all).toEqual([1, 1]);
    expect(asked).toHaveLength(1);
  });

  it('stand ready for whoever asks every ten or thirty seconds', async () => {
    const [answers, { asked, compute }] = [new Refreshed(Date.now), question(500)];
    const first = answers.get('a', compute);
    await pass(500);
    expect(await first).toBe(1);
    for (const wait of [10_000, 30_000, STANDING - 1_000]) {
      await pass(wait);
      const before = asked.length;
      expect(await answers.get('a', compute)).toBeGreaterThan(1);
      expect(asked).toHaveLength(before);
      expect(Date.now() - (asked.at(-1) ?? 0)).toBeLessThan(RENEWED_AFTER + 1_500);
    }
  });

  it('are not computed any more when nobody asks', async () => {
    const [answers, { asked, compute }] = [new Refreshed(Date.now), question(10)];
    void answers.get('a', compute);
    await pass(STANDING + 1_000);
    const before = asked.length;
    await pass(10 * STANDING);
    expect(asked).toHaveLength(before);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('are renewed one at a time, with a rest as long as that took', async () => {
    const answers = new Refreshed(Date.now);
    let [working, most, busy] = [0, 0, 0];
    const compute = async () => {
      most = Math.max(most, (working += 1));
      await delayed(1_000);
      busy += 1_000;
      working -= 1;
    };
    for (const key of ['a', 'b', 'c', 'd']) {
      void answers.get(key, compute);
      await pass(1_000);
    }
    [most, busy] = [0, 0];
    await pass(40_000);
    expect(most).toBe(1);
    expect(busy).toBeLessThanOrEqual(21_000);
    expect(busy).toBeGreaterThanOrEqual(18_000);
  });

  it('that do not stand are renewed when they are asked for', async () => {
    const [answers, { asked, compute }] = [new Refreshed(Date.now), question(10)];
    void answers.get('a', compute, false);
    await pass(10_000);
    expect(asked).toHaveLength(1);
    expect(await answers.get('a', compute, false)).toBe(1);
    await pass(1_000);
    expect(asked).toHaveLength(2);
    await pass(OLDEST);
    expect(asked).toHaveLength(2);
  });

  it('that fail are not kept, and are kept where a renewal fails', async () => {
    const answers = new Refreshed(Date.now);
    let fails = true;
    const compute = () => (fails ? Promise.reject(new Error('away')) : Promise.resolve('here'));
    await expect(answers.get('a', compute)).rejects.toThrow('away');
    fails = false;
    expect(await answers.get('a', compute)).toBe('here');
    fails = true;
    await pass(OLDEST - 1_000);
    expect(await answers.get('a', compute)).toBe('here');
    await pass(1_000);
    await expect(answers.get('a', compute)).rejects.toThrow('away');
  });

  it('are read no more after the end', async () => {
    const [answers, { asked, compute }] = [new Refreshed(Date.now), question(10)];
    void answers.get('a', compute);
    await pass(3_000);
    answers.close();
    const before = asked.length;
    await pass(STANDING);
    expect(asked).toHaveLength(before);
  });
});
