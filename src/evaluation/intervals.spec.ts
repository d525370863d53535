import { describe, expect, it } from 'vitest';
import { seeded } from '../score/seeded.js';
import { aucWithInterval, quotientInterval, recallIntervals, type Interval } from './intervals.js';
import { ScoresByCar } from './scores-by-car.js';

function scores(byCar: Readonly<Record<string, readonly number[]>>): ScoresByCar {
  const all = new ScoresByCar();
  for (const [car, values] of Object.entries(byCar)) for (const value of values) all.add(car, value);
  return all;
}

/** Readings of cars that each have a level of their own, which all its readings share. */
function clustered(name: string, cars: number, readings: number, shift: number, random: () => number): ScoresByCar {
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const all = new ScoresByCar();
  for (let car = 0; car < cars; car++) {
    const level = shift + normal();
    for (let n = 0; n < readings; n++) all.add(`${name}${car}`, level + 0.3 * normal());
  }
  return all;
}

const width = ([low, high]: Interval) => high - low;

describe('aucWithInterval', () => {
  it("is DeLong's where every car has one reading", () => {
    // Placements of the failed: 1, 1, 1/2 of 0.8333; of the normal ones below the failed: 1/2 … by hand.
    const normal = scores({ a: [1], b: [2], c: [4] });
    const failed = scores({ d: [3], e: [5], f: [6] });
    const { area, interval } = aucWithInterval(normal, failed);
    expect(area).toBeCloseTo(8 / 9, 12);
    const failedPart = ((2 / 3 - 8 / 9) ** 2 + 2 * (1 - 8 / 9) ** 2) / 2;
    const normalPart = (2 * (1 - 8 / 9) ** 2 + (2 / 3 - 8 / 9) ** 2) / 2;
    const error = 1.96 * Math.sqrt(failedPart / 3 + normalPart / 3);
    expect(interval[0]).toBeCloseTo(8 / 9 - error, 12);
    expect(interval[1]).toBe(1);
  });

  it('gains nothing from readings that only say again what others of the car said', () => {
    const random = seeded(7);
    const values = Array.from({ length: 40 }, () => random());
    const times = (n: number, shift: number, name: string) =>
      scores(Object.fromEntries(values.map((value, car) => [`${name}${car}`, Array(n).fill(value + shift)])));
    const once = aucWithInterval(times(1, 0, 'n'), times(1, 0.2, 'f'));
    const often = aucWithInterval(times(20, 0, 'n'), times(20, 0.2, 'f'));
    expect(often.area).toBeCloseTo(once.area, 12);
    expect(width(often.interval)).toBeCloseTo(width(once.interval), 12);
  });

  it('holds the true area about 95 times of 100, for cars whose readings resemble each other', () => {
    const random = seeded(11);
    // Both levels and both noises are normal: the difference has variance 2·(1 + 0.09).
    const truth = 0.9169;
    let held = 0;
    for (let trial = 0; trial < 300; trial++) {
      const normal = clustered('n', 40, 20, 0, random);
      const failed = clustered('f', 40, 20, 2.045, random);
      const [low, high] = aucWithInterval(normal, failed).interval;
      if (low <= truth && truth <= high) held++;
    }
    expect(held / 300).toBeGreaterThan(0.89);
    expect(held / 300).toBeLessThan(0.99);
  });

  it('knows nothing of a single car', () => {
    expect(aucWithInterval(scores({ a: [1, 2] }), scores({ b: [3] })).interval).toEqual([0, 1]);
  });
});

describe('recallIntervals', () => {
  it('are wider for few cars with many readings than for many cars with few, and the same each time', () => {
    const [few, many] = [1, 2].map((seed) => {
      const random = seeded(seed);
      const [cars, readings] = seed === 1 ? [20, 100] : [2_000, 1];
      return [clustered('n', cars, readings, 0, random), clustered('f', cars, readings, 2, random)] as const;
    });
    const [wide, narrow] = [few, many].map((pair) => {
      const [normal, failed] = pair as readonly [ScoresByCar, ScoresByCar];
      return recallIntervals(normal, failed, [0.1], 1);
    });
    expect(width(wide?.recall[0] ?? [0, 0])).toBeGreaterThan(3 * width(narrow?.recall[0] ?? [0, 0]));
    expect(width(wide?.flagged ?? [0, 0])).toBeGreaterThan(3 * width(narrow?.flagged ?? [0, 0]));
    const [normal, failed] = few as readonly [ScoresByCar, ScoresByCar];
    expect(recallIntervals(normal, failed, [0.1], 1)).toEqual(wide);
  });

  it('hold the share that is above a fixed score about 95 times of 100', () => {
    const random = seeded(5);
    const normal = clustered('n', 5, 5, 0, random);
    let held = 0;
    for (let trial = 0; trial < 60; trial++) {
      const [low, high] = recallIntervals(normal, clustered('f', 60, 10, 0, random), [], 0).flagged;
      if (low <= 0.5 && 0.5 <= high) held++;
    }
    expect(held / 60).toBeGreaterThan(0.86);
  });
});

describe('quotientInterval', () => {
  it('goes by the rule of three where nothing was seen, and from 0 to 0 where nobody looked', () => {
    expect(
      quotientInterval(
        [
          { count: 0, of: 300 },
          { count: 0, of: 200 },
        ],
        1_000,
      ),
    ).toEqual([0, 6]);
    expect(quotientInterval([])).toEqual([0, 0]);
  });

  it('is as wide as one car that has all of it makes it', () => {
    const cars = Array.from({ length: 100 }, (_, car) => ({ count: car === 0 ? 50 : 0, of: 1 }));
    const [low, high] = quotientInterval(cars);
    expect(low).toBe(0);
    expect(high).toBeGreaterThan(1);
  });
});
