import { describe, expect, it } from 'vitest';
import { FEATURE_COUNT } from './features.js';
import { Lots, RowSample } from './row-sample.js';

const CARS = ['one', 'two', 'three', 'four'];

/** @param at the next car's place in CARS, of those that have readings left */
function sampled(capacity: number, each: number, at: (turn: number) => number, order: 'arrival' | 'drawn' = 'drawn') {
  const sample = new RowSample(capacity);
  const cars = CARS.map((car, place) => ({ place, lots: new Lots(car), sent: 0 }));
  for (let turn = 0; turn < each * CARS.length; turn++) {
    const left = cars.filter(({ sent }) => sent < each);
    const car = left[at(turn) % left.length];
    if (car === undefined) throw new Error('no car is left');
    sample.offer(new Float64Array(FEATURE_COUNT).fill(car.place * each + car.sent++), car.lots.next());
  }
  const { count, values } = sample.taken(order);
  return Array.from({ length: count }, (_, row) => values[row * FEATURE_COUNT + FEATURE_COUNT - 1] ?? NaN);
}

const oneAfterTheOther = () => 0;
const inTurn = (turn: number) => turn;

describe('RowSample', () => {
  it('keeps the same rows in the same order, however the cars are interleaved', () => {
    const rows = sampled(1_500, 2_000, oneAfterTheOther);
    expect(new Set(rows).size).toBe(1_500);
    expect(sampled(1_500, 2_000, inTurn)).toEqual(rows);
  });

  it('draws evenly from all cars and times', () => {
    const rows = sampled(1_600, 2_000, inTurn);
    for (let half = 0; half < 2 * CARS.length; half++) {
      const from = rows.filter((row) => Math.floor(row / 1_000) === half).length;
      expect(Math.abs(from - 200)).toBeLessThan(60);
    }
  });

  it('keeps all rows as they came when there is room', () => {
    const rows = sampled(10_000, 1_500, oneAfterTheOther, 'arrival');
    expect(rows).toEqual(Array.from({ length: 6_000 }, (_, row) => row));
  });
});
