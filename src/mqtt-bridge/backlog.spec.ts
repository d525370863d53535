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

  it('forgets what the broker sends again, and only that', () => {
    const backlog = new Backlog(limits);
    const [closed, open] = [new Acknowledgements(() => undefined), new Acknowledgements(() => undefined)];
    backlog.add(message(closed, 1));
    backlog.add(message(closed, 2));
    const onItsWay = backlog.take(1);
    closed.drop();
    backlog.add({ ...message(closed, 3), held: null });
    backlog.add(message(open, 2));
    backlog.forgetRedelivered();
    expect(backlog.held).toBe(3);
    backlog.done(onItsWay);
    expect(backlog.take(9).map(({ source, held }) => [source === open, held?.packetId])).toEqual([
      [false, undefined],
      [true, 2],
    ]);
  });
});

function message(source: Acknowledgements, packetId: number, bytes = 1): Carried {
  const record = { topic: 'sensor', key: 'car1', value: Buffer.alloc(bytes) };
  return { record, receivedAt: packetId, source, held: { packetId, due: false } };
}
