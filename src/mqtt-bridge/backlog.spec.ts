import { describe, expect, it } from 'vitest';
import { Acknowledgements } from './acknowledgements.js';
import { Backlog, type Carried } from './backlog.js';

const limits = { messages: 3, bytes: 1_000 };

describe('Backlog', () => {
  it('hands out messages in order of arrival, and counts them until they are done', () => {
    const backlog = new Backlog(limits);
    for (const id of [1, 2, 3]) backlog.add(message(new Acknowledgements(() => undefined), id));
    const taken = backlog.take(2);
    expect(taken.map(({ held }) => held?.packetId)).toEqual([1, 2]);
    expect([backlog.held, backlog.waiting]).toEqual([3, 1]);
    backlog.done(taken);
    expect([backlog.held, backlog.waiting]).toEqual([1, 1]);
  });

  it('has no room above its messages or its bytes, and tells when there is some again', async () => {
    const source = new Acknowledgements(() => undefined);
    const backlog = new Backlog(limits);
    for (const id of [1, 2, 3]) backlog.add(message(source, id));
    expect(backlog.room()).toBeNull();
    backlog.add(message(source, 4));
    const room = backlog.room();
    expect(room).not.toBeNull();
    backlog.done(backlog.take(1));
    await room;
    expect(backlog.room()).toBeNull();
    backlog.done(backlog.take(3));
    backlog.add(message(source, 5, 1_001));
    expect(backlog.room()).not.toBeNull();
  });

  it('has a message once that the broker sends again, in its place and with its new PUBACK', () => {
    const backlog = new Backlog({ messages: 9, bytes: 1_000 });
    const [closed, open] = [new Acknowledgements(() => undefined), new Acknowledgements(() => undefined)];
    for (const id of [1, 2, 3]) backlog.add(message(closed, id));
    const taken = backlog.take(1);
    closed.drop();
    const again = [1, 2].map((id) => ({
      ...message(closed, id),
      source: open,
      held: { packetId: id + 10, due: false },
    }));
    expect(again.map((one) => backlog.repeats(one))).toEqual([true, true]);
    backlog.add(message(open, 4));
    expect(backlog.held).toBe(4);
    const all = [...taken, ...backlog.take(9)].map(({ source, held }) => [source === open, held?.packetId]);
    // The broker did not have the third one any more: it was killed.
    expect(all).toEqual([
      [true, 11],
      [true, 12],
      [false, 3],
      [true, 4],
    ]);
  });

  it('takes a message for a repetition only of what is not in Kafka yet, and only once', () => {
    const backlog = new Backlog(limits);
    const [closed, open] = [new Acknowledgements(() => undefined), new Acknowledgements(() => undefined)];
    for (const id of [1, 2]) backlog.add(message(closed, id));
    for (const id of [3, 4]) backlog.add(message(closed, id));
    closed.drop();
    const taken = backlog.take(2);
    expect(backlog.repeats(message(open, 4))).toBe(true);
    backlog.done(taken);
    expect([1, 2, 3, 3, 4].map((id) => backlog.repeats(message(open, id)))).toEqual([false, false, true, false, false]);
  });

  it('expects no repetition of what is on a connection that is open, or has no PUBACK', () => {
    const backlog = new Backlog(limits);
    const [closed, open] = [new Acknowledgements(() => undefined), new Acknowledgements(() => undefined)];
    backlog.add({ ...message(closed, 1), held: null });
    backlog.add(message(open, 2));
    closed.drop();
    expect([1, 2].map((id) => backlog.repeats(message(open, id)))).toEqual([false, false]);
  });
});

function message(source: Acknowledgements, packetId: number, bytes = 1): Carried {
  const headers = { 'mqtt-topic': 'cars/car1' };
  const record = { topic: 'sensor', key: 'car1', value: Buffer.alloc(bytes, packetId), headers };
  return { record, receivedAt: packetId, source, held: { packetId, due: false } };
}
