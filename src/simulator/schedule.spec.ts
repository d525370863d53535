import { describe, expect, it } from 'vitest';
import { paced, scheduleOf, type Clock, type Pace } from './schedule.js';

/** A clock that only sleeping moves, by some more than was asked for, as timers do. */
function fakeClock(oversleep: number): Clock {
  let now = 5_000;
  return {
    now: () => now,
    sleep: async (ms) => {
      now += ms + oversleep;
    },
  };
}

async function timesOf(pace: Pace, ats: readonly number[], oversleep = 0, work = 0): Promise<number[]> {
  const clock = fakeClock(oversleep);
  const start = clock.now();
  const times: number[] = [];
  for await (const _ of paced(
    ats.map((at) => ({ at })),
    pace,
    clock,
  )) {
    times.push(clock.now() - start);
    if (work > 0 && times.length === 10) await clock.sleep(work);
  }
  return times;
}

const MANY = Array.from({ length: 10_000 }, () => 0);

describe('scheduleOf', () => {
  it('spaces messages evenly at a rate', () => {
    const dueAfter = scheduleOf({ rate: 250 });
    expect([0, 1, 2, 1_000_000].map((number) => dueAfter(number, 0))).toEqual([0, 4, 8, 4_000_000]);
  });

  it('replays by the own times of the messages at a speed', () => {
    const dueAfter = scheduleOf({ speed: 60 });
    expect([7_000, 67_000, 3_607_000].map((at, number) => dueAfter(number, at))).toEqual([0, 1_000, 60_000]);
  });

  it('holds nothing back without either', () => {
    const dueAfter = scheduleOf({});
    expect(dueAfter(1_000, 1e12)).toBe(0);
  });
});

describe('paced', () => {
  it.each([7, 333, 1_000, 15_000])('keeps %i a second within 1 %% whatever the timers do', async (rate) => {
    const times = await timesOf({ rate }, MANY, 1.3);
    const reached = (MANY.length - 1) / ((times.at(-1) ?? 0) / 1_000);
    expect(Math.abs(reached / rate - 1)).toBeLessThan(0.01);
  });

  it('never sends early', async () => {
    const times = await timesOf({ rate: 333 }, MANY, 0.4);
    times.forEach((time, number) => expect(time).toBeGreaterThanOrEqual((number * 1_000) / 333));
  });

  it('catches up after a pause', async () => {
    const times = await timesOf({ rate: 1_000 }, MANY, 0, 5_000);
    expect(times[10]).toBeGreaterThanOrEqual(5_000);
    expect(times.at(-1)).toBeCloseTo(9_999, 0);
  });

  it('sends at once what is older than the message before', async () => {
    expect(await timesOf({ speed: 10 }, [100_000, 200_000, 150_000, 300_000])).toEqual([0, 10_000, 10_000, 20_000]);
  });
});
