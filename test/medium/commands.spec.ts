import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CommandStore } from '../../src/commands/command-store.js';
import { accept, type CommandRig, commandRig } from './command-rig.js';

let rig: CommandRig;
beforeEach(async () => {
  rig = await commandRig();
});
afterEach(() => rig.close());

const soon = <T>(ask: () => T | Promise<T>) => vi.waitFor(ask, { timeout: 60_000, interval: 20 });
const statusOf = async (id: string) => (await rig.commands.findOne({ _id: id }))?.status;
const ended = (id: string, status: string) => soon(async () => expect(await statusOf(id)).toBe(status));
const stepsOf = async (id: string) => (await rig.commands.findOne({ _id: id }))?.timeline.map((step) => step.status);

describe('a command', () => {
  it('goes to its car, and the answer comes back', async () => {
    const bridge = rig.start();
    const { received } = await rig.carsAt(accept);
    const command = await rig.desire('car-1', { chargeLimit: 80 });
    await ended(command._id, 'ACCEPTED');
    expect(received).toEqual([
      {
        id: command._id,
        car: 'car-1',
        version: 1,
        values: { chargeLimit: 80 },
        issuedAt: command.at.toISOString(),
        expiresAt: command.expiresAt.toISOString(),
      },
    ]);
    const accepted = { version: 1, values: { chargeLimit: 80 } };
    // It is noted behind the command, and with the next answer where somebody is killed in between.
    await soon(async () => expect((await rig.cars.findOne({ _id: 'car-1' }))?.accepted).toMatchObject(accepted));
    const steps = await stepsOf(command._id);
    // The answer may be noted before the broker's acknowledgement is.
    expect([
      ['QUEUED', 'SENT', 'ACCEPTED'],
      ['QUEUED', 'ACCEPTED'],
    ]).toContainEqual(steps);
    expect(await rig.commands.findOne({ _id: command._id })).not.toHaveProperty('nextAt');
    expect(bridge.status()).toMatchObject({ published: 1, answers: { applied: 1 }, trouble: null });
  });

  it('is rejected with the reason of the car, which leaves what it follows as it was', async () => {
    rig.start();
    const { client } = await rig.carsAt(accept, 'car-1');
    const first = await rig.desire('car-1', { chargeLimit: 80 });
    await ended(first._id, 'ACCEPTED');
    await client.endAsync();
    await rig.carsAt(() => ({ status: 'REJECTED', reason: 'not while it charges' }), 'car-1');
    const second = await rig.desire('car-1', { chargeLimit: 90 });
    await ended(second._id, 'REJECTED');
    expect((await rig.commands.findOne({ _id: second._id }))?.timeline.at(-1)?.reason).toBe('not while it charges');
    expect((await rig.cars.findOne({ _id: 'car-1' }))?.accepted?.version).toBe(1);
  });

  it('is published again to a car that is away, and reaches it when it is there', async () => {
    rig.start({ retry: 200 });
    const command = await rig.desire('car-1', { chargeLimit: 80 });
    await soon(async () => expect((await rig.commands.findOne({ _id: command._id }))?.attempts).toBeGreaterThan(2));
    expect(await statusOf(command._id)).toBe('SENT');
    await rig.carsAt(accept);
    await ended(command._id, 'ACCEPTED');
  });

  it('waits in the session of a car that keeps one', async () => {
    rig.start();
    const session = { clientId: `${rig.id}-car`, clean: false };
    const { client } = await rig.carsAt(() => null, 'car-1', session);
    await client.endAsync();
    const command = await rig.desire('car-1', { chargeLimit: 80 });
    await ended(command._id, 'SENT');
    const { received } = await rig.carsAt(accept, 'car-1', session);
    await ended(command._id, 'ACCEPTED');
    expect(received).toHaveLength(1);
  });

  it('expires while the car is away; an answer that comes later is counted and does not change that', async () => {
    const bridge = rig.start({ retry: 200 });
    const command = await rig.desire('car-1', { chargeLimit: 80 }, 1_500);
    await ended(command._id, 'EXPIRED');
    expect(await stepsOf(command._id)).toEqual(['QUEUED', 'SENT', 'EXPIRED']);
    const { received } = await rig.carsAt(accept);
    await rig.say('car-1', JSON.stringify({ id: command._id, status: 'ACCEPTED' }));
    await soon(() => expect(bridge.status().answers.late).toBe(1));
    expect([await statusOf(command._id), received]).toEqual(['EXPIRED', []]);
    // It is what the car follows all the same.
    expect((await rig.cars.findOne({ _id: 'car-1' }))?.accepted?.version).toBe(1);
  });

  it('that is superseded is not published any more; the newest is', async () => {
    const [first, second, third] = [
      await rig.desire('car-1', { chargeLimit: 70 }),
      await rig.desire('car-1', { chargeLimit: 80 }),
      await rig.desire('car-1', {}),
    ];
    const { received } = await rig.carsAt(accept);
    rig.start();
    await ended(third._id, 'ACCEPTED');
    expect([await statusOf(first._id), await statusOf(second._id)]).toEqual(['EXPIRED', 'EXPIRED']);
    expect(received.map(({ version, values }) => [version, values])).toEqual([[3, {}]]);
  });

  it('that was sent and is superseded still takes its answer, and the newer one keeps the last word', async () => {
    rig.start({ retry: 200 });
    const first = await rig.desire('car-1', { chargeLimit: 70 });
    await ended(first._id, 'SENT');
    const second = await rig.desire('car-1', { chargeLimit: 80 });
    await ended(second._id, 'SENT');
    expect(await rig.commands.findOne({ _id: first._id })).toMatchObject({ status: 'SENT', supersededBy: 2 });
    await rig.say('car-1', JSON.stringify({ id: second._id, status: 'ACCEPTED' }));
    await ended(second._id, 'ACCEPTED');
    await rig.say('car-1', JSON.stringify({ id: first._id, status: 'ACCEPTED' }));
    await ended(first._id, 'ACCEPTED');
    expect((await rig.cars.findOne({ _id: 'car-1' }))?.accepted).toMatchObject({ version: 2 });
  });
});

describe('bridges', () => {
  it('that died between taking up and publishing leave commands to the next one', async () => {
    const { received } = await rig.carsAt(accept);
    const command = await rig.desire('car-1', { chargeLimit: 80 });
    const dead = new CommandStore(rig.database.collections, 1_000);
    expect(await dead.claim('dead', new Date(), 10)).toHaveLength(1);
    const bridge = rig.start();
    await ended(command._id, 'ACCEPTED');
    expect([received.length, bridge.status().published]).toEqual([1, 1]);
    expect((await rig.commands.findOne({ _id: command._id }))?.attempts).toBe(2);
  });

  it('share the commands: each goes out once, and none is lost', async () => {
    const { received } = await rig.carsAt(accept);
    const bridges = [1, 2, 3].map((n) => rig.start({ clientId: `${rig.id}-${n}` }));
    await soon(() => expect(bridges.every((one) => one.status().connected)).toBe(true));
    const cars = Array.from({ length: 120 }, (_, n) => `car-${n}`);
    for (let from = 0; from < cars.length; from += 20)
      await Promise.all(cars.slice(from, from + 20).map((car) => rig.desire(car, { speedLimit: 30 })));
    await soon(async () => expect(await rig.commands.countDocuments({ status: 'ACCEPTED' })).toBe(cars.length));
    expect(received).toHaveLength(cars.length);
    expect(bridges.reduce((sum, one) => sum + one.status().published, 0)).toBe(cars.length);
    // Every bridge sees every answer; whoever is first applies it.
    await soon(() => {
      const seen = bridges.map((one) => one.status().answers);
      for (const { applied, repeated } of seen) expect(applied + repeated).toBe(cars.length);
    });
    expect(await rig.cars.countDocuments({ 'accepted.version': 1 })).toBe(cars.length);
  });

  it('without MongoDB wait, and carry what was queued and answered meanwhile afterwards', async () => {
    const proxy = await rig.mongodbProxy();
    const { received } = await rig.carsAt(accept);
    const bridge = rig.start({ mongodbProxy: proxy });
    const before = await rig.desire('car-1', { chargeLimit: 80 });
    await ended(before._id, 'ACCEPTED');
    proxy.cut();
    await soon(() => expect(bridge.status().trouble).not.toBeNull());
    const meanwhile = await rig.desire('car-2', { chargeLimit: 80 });
    // An answer to what somebody else had published.
    await new CommandStore(rig.database.collections, 60_000).claim('other', new Date(), 10);
    await rig.say('car-2', JSON.stringify({ id: meanwhile._id, status: 'ACCEPTED' }));
    const later = await rig.desire('car-3', { chargeLimit: 80 });
    proxy.resume();
    await ended(meanwhile._id, 'ACCEPTED');
    await ended(later._id, 'ACCEPTED');
    expect(received.map(({ car }) => car)).toEqual(['car-1', 'car-3']);
    await soon(() => expect(bridge.status().trouble).toBeNull());
  });

  it('without a broker wait; what they had in hand goes out at once when it is back', async () => {
    const proxy = await rig.mqttProxy();
    const bridge = rig.start({ mqttProxy: proxy });
    await soon(() => expect(bridge.status().connected).toBe(true));
    const { received } = await rig.carsAt(accept);
    proxy.stall();
    const command = await rig.desire('car-1', { chargeLimit: 80 });
    await soon(async () => expect((await rig.commands.findOne({ _id: command._id }))?.attempts).toBe(1));
    proxy.cut();
    await soon(() => expect(bridge.status().connected).toBe(false));
    proxy.resume();
    await ended(command._id, 'ACCEPTED');
    expect(received.length).toBeGreaterThan(0);
    expect(new Set(received.map(({ id }) => id)).size).toBe(1);
  });

  it('that stop while answers come leave them with the broker for the next one', async () => {
    const first = rig.start();
    const command = await rig.desire('car-1', { chargeLimit: 80 });
    await ended(command._id, 'SENT');
    await first.stop();
    await rig.say('car-1', JSON.stringify({ id: command._id, status: 'ACCEPTED' }));
    rig.start();
    await ended(command._id, 'ACCEPTED');
  });
});
