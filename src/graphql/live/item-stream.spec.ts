import { describe, expect, it } from 'vitest';
import { type ItemSource, ItemStream } from './item-stream.js';

function streamOf(items: (number | Error)[]) {
  let closed = 0;
  const source: ItemSource<number> = {
    take: async () => {
      const item = items.shift();
      if (item instanceof Error) throw item;
      return item ?? null;
    },
    close: () => {
      closed += 1;
    },
  };
  return { items, stream: new ItemStream(source), closed: () => closed };
}

describe('ItemStream', () => {
  it('gives items as they come', async () => {
    const { items, stream } = streamOf([1]);
    expect(await stream.next()).toEqual({ value: 1, done: false });
    const waiting = stream.next();
    items.push(2);
    stream.notify();
    expect(stream.givenAt).toBeNull();
    expect(await waiting).toEqual({ value: 2, done: false });
    expect(stream.givenAt).toBeLessThanOrEqual(performance.now());
  });

  it('ends at once while it waits for an item, and closes its source once', async () => {
    const { stream, closed } = streamOf([]);
    const waiting = stream.next();
    await stream.return();
    await stream.return();
    expect(await waiting).toEqual({ value: undefined, done: true });
    expect(closed()).toBe(1);
  });

  it('passes a fault on and is over', async () => {
    const { stream, closed } = streamOf([new Error('gone'), 3]);
    await expect(stream.next()).rejects.toThrow('gone');
    expect(await stream.next()).toEqual({ value: undefined, done: true });
    expect(closed()).toBe(1);
  });
});
