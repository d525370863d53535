import { describe, expect, it } from 'vitest';
import { ConflatingQueue } from './conflating-queue.js';

describe('ConflatingQueue', () => {
  it('keeps the newest state per id, in the order in which the ids came to wait', () => {
    const queue = new ConflatingQueue<number>(10);
    queue.put('a', 1, 't1');
    queue.put('b', 2, 't2');
    queue.put('a', 3, 't3');
    expect(queue.first()).toEqual({ id: 'a', state: 3, since: 't1' });
    queue.remove('a');
    expect(queue.first()).toEqual({ id: 'b', state: 2, since: 't2' });
    queue.remove('b');
    expect(queue.first()).toBeNull();
  });

  it('takes a newer state of who waits even when it is full, and nobody else', () => {
    const queue = new ConflatingQueue<number>(2);
    expect([queue.put('a', 1, 't'), queue.put('b', 1, 't'), queue.put('c', 1, 't'), queue.put('a', 2, 't')]).toEqual([
      true,
      true,
      false,
      true,
    ]);
    expect(queue.size).toBe(2);
  });

  it('knows whose state has to be read, and never forgets one that came', () => {
    const queue = new ConflatingQueue<number>(9);
    queue.put('a', null, 't1');
    queue.put('b', 5, 't2');
    queue.put('c', null, 't3');
    queue.put('b', null, 't4');
    expect(queue.unread(10)).toEqual(['a', 'c']);
    expect(queue.unread(1)).toEqual(['a']);
    queue.fill('a', 7);
    queue.fill('gone', 7);
    expect(queue.first()).toEqual({ id: 'a', state: 7, since: 't1' });
    expect(queue.size).toBe(3);
  });
});
