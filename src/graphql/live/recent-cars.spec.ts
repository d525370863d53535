import { describe, expect, it } from 'vitest';
import { RecentCars } from './recent-cars.js';

describe('RecentCars', () => {
  it('tells what changed since a time, each car once, and nothing of before it began', () => {
    const recent = new RecentCars('05', 10);
    recent.note('a', '06');
    recent.note('b', '07');
    recent.note('a', '08');
    expect(recent.since('06')).toEqual([
      ['b', '07'],
      ['a', '08'],
    ]);
    expect(recent.since('08')).toEqual([['a', '08']]);
    expect(recent.since('04')).toBeNull();
    expect(recent.now).toBe('08');
  });

  it('forgets the oldest when there are too many, and says so', () => {
    const recent = new RecentCars('00', 2);
    recent.note('a', '01');
    recent.note('b', '02');
    recent.note('c', '03');
    expect(recent.since('00')).toBeNull();
    expect(recent.since('02')).toEqual([
      ['b', '02'],
      ['c', '03'],
    ]);
  });

  it('takes in what changed before it began, without making anything older than it is', () => {
    const recent = new RecentCars('05', 10);
    recent.note('a', '06');
    recent.extend('02', [
      ['b', '02'],
      ['a', '03'],
      ['c', '04'],
      ['b', '04'],
    ]);
    expect(recent.since('02')).toEqual([
      ['c', '04'],
      ['b', '04'],
      ['a', '06'],
    ]);
    recent.extend('04', [['z', '04']]);
    expect(recent.since('02')?.map(([id]) => id)).not.toContain('z');
    expect(recent.now).toBe('06');
  });
});
