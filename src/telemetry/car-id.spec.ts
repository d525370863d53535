import { describe, expect, it } from 'vitest';
import { carIdOf } from './car-id.js';

describe('carIdOf', () => {
  it.each([
    ['vehicles/sensor/data/car7', 'car7'],
    ['car_7-A', 'car_7-A'],
    ['a'.repeat(64), 'a'.repeat(64)],
    ['a'.repeat(65), null],
    ['vehicles/sensor/data/', null],
    ['', null],
    ['vehicles/sensor/data/car 7', null],
    ['__proto__/é', null],
  ])('%s → %s', (text, expected) => {
    expect(carIdOf(text)).toBe(expected);
  });
});
