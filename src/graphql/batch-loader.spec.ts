import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BatchLoader, piecesOf } from './batch-loader.js';

describe('pieces', () => {
  it('hold every key in order, and no more than they may', () => {
    const most = fc.record({ keys: fc.integer({ min: 1, max: 10 }), weight: fc.integer({ min: 1, max: 30 }) });
    fc.assert(
      fc.property(fc.array(fc.nat(40)), most, (keys, limits) => {
        const pieces = piecesOf(keys, limits, (key) => key);
        const sum = (piece: readonly number[]) => piece.reduce((total, key) => total + key, 0);
        expect(pieces.flat()).toEqual(keys);
        for (const [n, piece] of pieces.entries()) {
          expect(piece.length).toBeGreaterThan(0);
          expect(piece.length).toBeLessThanOrEqual(limits.keys);
          if (piece.length > 1) expect(sum(piece)).toBeLessThanOrEqual(limits.weight);
          // None is begun before the one before it is full.
          const next = pieces[n + 1]?.[0];
          if (next !== undefined) expect(piece.length === limits.keys || sum(piece) + next > limits.weight).toBe(true);
        }
      }),
    );
  });
});

describe('a batch that is cut', () => {
  const cut = (keys: readonly number[]) => piecesOf(keys, { keys: 2, weight: 100 }, () => 1);

  it('answers each piece as soon as it can, and with its own fault', async () => {
    const asked: (readonly number[])[] = [];
    let go = () => {};
    const slow = new Promise<void>((resolve) => (go = resolve));
    const loader = new BatchLoader<number, string>(async (keys) => {
      asked.push(keys);
      if (keys.includes(0)) await slow;
      if (keys.includes(2)) throw new Error('the second piece');
      return keys.map((key) => `value ${key}`);
    }, cut);
    const loads = [0, 1, 2, 3, 4].map((key) => loader.load(key));
    const [first, second, third, fourth, fifth] = loads;
    expect(await fifth).toBe('value 4');
    await expect(third).rejects.toThrow('the second piece');
    await expect(fourth).rejects.toThrow('the second piece');
    go();
    expect([await first, await second]).toEqual(['value 0', 'value 1']);
    expect(asked).toEqual([[0, 1], [2, 3], [4]]);
  });
});
