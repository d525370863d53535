import { describe, expect, it } from 'vitest';
import { RecentCars } from './recent-cars.js';

const from = (at: string, token: string | null = null) => ({ at, token });

describe('RecentCars', () => {
  it('tells what changed since a time, each car once, and nothing of before it began', () => {
    const recent = new RecentCars(from('05'), 10);
    recent.note('a', '06');
    recent.note('b', '07');
    recent.note('a', '08');
    expect(recent.since(from('06'))).toEqual([
      ['b', '07'],
      ['a', '08'],
    ]);
    expect(recent.since(from('08'))).toEqual([['a', '08']]);
    expect(recent.since(from('04'))).toBeNull();
    expect(recent.now).toBe('08');
  });

  it('of the time it began at knows only what lies behind its token: others changed at the same time', () => {
    const recent = new RecentCars(from('05', '826a20'), 10);
    recent.note('a', '05');
    expect(recent.since(from('05'))).toBeNull();
    expect(recent.since(from('05', '826a10'))).toBeNull();
    expect(recent.since(from('05', '826a20'))).toEqual([['a', '05']]);
    expect(recent.since(from('05', '826a30'))).toEqual([['a', '05']]);
  });

  it('does not compare tokens of a server that does not make them so that they sort', () => {
    const recent = new RecentCars(from('05', '8200000020'), 10);
    expect(recent.since(from('05', '8200000030'))).toBeNull();
    expect(recent.since(from('05', '8200000020'))).toEqual([]);
  });

  it('forgets the oldest when there are too many, and says so', () => {
    const recent = new RecentCars(from('00', '826a00'), 2);
    recent.note('a', '01');
    recent.note('b', '02');
    recent.note('c', '03');
    expect(recent.since(from('00', '826a00'))).toBeNull();
    expect(recent.since(from('01', '826a01'))).toBeNull();
    expect(recent.since(from('02'))).toEqual([
      ['b', '02'],
      ['c', '03'],
    ]);
  });

  it('takes in what changed before it began, without making anything older than it is', () => {
    const recent = new RecentCars(from('05'), 10);
    recent.note('a', '06');
    recent.extend({
      token: '826a01',
      first: '02',
      changes: [
        ['a', '03'],
        ['c', '04'],
        ['b', '04'],
      ],
    });
    const all = [
      ['c', '04'],
      ['b', '04'],
      ['a', '06'],
    ];
    expect(recent.since(from('03'))).toEqual(all);
    expect(recent.since(from('01', '826a01'))).toEqual(all);
    expect(recent.since(from('02', '826a00'))).toBeNull();
    expect(recent.now).toBe('06');
  });

  it('after a recall from the middle of a transaction does not claim to know the part before', () => {
    const recent = new RecentCars(from('09', '826a90'), 10);
    recent.extend({ token: '826a15', first: '05', changes: [['late', '05']] });
    expect(recent.since(from('05', '826a15'))).toEqual([['late', '05']]);
    expect(recent.since(from('05', '826a02'))).toBeNull();
    recent.extend({
      token: '826a02',
      first: '05',
      changes: [
        ['early', '05'],
        ['late', '05'],
      ],
    });
    expect(recent.since(from('05', '826a02'))?.map(([id]) => id)).toEqual(['early', 'late']);
  });

  it('does not take the word of a forged cursor for how far back it goes', () => {
    const recent = new RecentCars(from('09', '826a90'), 10);
    recent.extend({ token: '826a80', first: '08', changes: [['a', '08']] });
    expect(recent.since(from('01', '826a80'))).toEqual([['a', '08']]);
    expect(recent.since(from('05', '826a50'))).toBeNull();
  });
});
