import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CommandStore, expireCommands } from '../../src/commands/command-store.js';
import type { CommandStatus } from '../../src/twin/command-documents.js';
import { type CommandRig, commandRig } from './command-rig.js';

let rig: CommandRig;
beforeEach(async () => {
  rig = await commandRig();
});
afterEach(() => rig.close());

const soon = <T>(ask: () => T | Promise<T>) => vi.waitFor(ask, { timeout: 60_000, interval: 20 });

describe('hostile answers', () => {
  it('are counted, and change nothing', async () => {
    const bridge = rig.start();
    const command = await rig.desire('car-1', { chargeLimit: 80 });
    const id = command._id;
    await soon(async () => expect((await rig.commands.findOne({ _id: id }))?.status).toBe('SENT'));
    // Behind another command, so that nobody has taken this one up.
    const fresh = await rig.desire('car-9', { chargeLimit: 80 });
    await rig.commands.updateOne({ _id: fresh._id }, { $set: { attempts: 0 }, $unset: { nextAt: true } });
    const malformed: (string | Buffer)[] = [
      '',
      'no JSON',
      '[]',
      'null',
      '7',
      '{}',
      Buffer.from([0xff, 0xfe, 0x00]),
      JSON.stringify({ id }),
      JSON.stringify({ id, status: 'SENT' }),
      JSON.stringify({ id, status: 'QUEUED' }),
      JSON.stringify({ id, status: { $ne: 1 } }),
      JSON.stringify({ id: { $gt: '' }, status: 'ACCEPTED' }),
      JSON.stringify({ id, status: 'ACCEPTED', reason: { $where: '1' } }),
      JSON.stringify({ id, status: 'ACCEPTED', reason: 'x'.repeat(5_000) }),
      JSON.stringify({ id: `car-1/${'x'.repeat(500)}`, status: 'ACCEPTED' }),
      JSON.stringify({ id: ['car-1/a'], status: 'ACCEPTED' }),
      '['.repeat(4_000),
      Buffer.alloc(2_000_000, 'a'),
    ];
    for (const payload of malformed) await rig.say('car-1', payload);
    // One car for another.
    await rig.say('car-2', JSON.stringify({ id, status: 'REJECTED' }));
    await rig.say('car-2', JSON.stringify({ id: 'car-1', status: 'REJECTED' }));
    await soon(() => expect(bridge.status().answers.malformed).toBe(malformed.length + 2));
    const unknown = [
      { car: 'car-1', id: `car-1/${randomUUID()}` },
      { car: 'car-1', id: 'car-1/' },
      { car: 'car-1', id: 'car-1/__proto__' },
      { car: 'car-3', id: `car-3/${randomUUID()}` },
      { car: 'car-9', id: fresh._id },
    ];
    for (const one of unknown) await rig.say(one.car, JSON.stringify({ id: one.id, status: 'ACCEPTED' }));
    await soon(() => expect(bridge.status().answers.unknown).toBe(unknown.length));
    expect((await rig.commands.findOne({ _id: id }))?.status).toBe('SENT');
    expect(await rig.cars.countDocuments({ accepted: { $exists: true } })).toBe(0);
    // And it goes on.
    await rig.say('car-1', JSON.stringify({ id, status: 'ACCEPTED', reason: 'half a pair \ud83d' }));
    const counts = { repeated: 0, late: 0, unknown: unknown.length, malformed: malformed.length + 2 };
    await soon(() => expect(bridge.status().answers).toEqual({ applied: 1, ...counts }));
    const accepted = await rig.commands.findOne({ _id: id });
    expect(accepted?.status).toBe('ACCEPTED');
    expect(accepted?.timeline.at(-1)?.reason).toBe('half a pair \ufffd');
  });

  it('that contradict each other: the first one counts, be they in one batch or in many', async () => {
    const bridge = rig.start();
    const command = await rig.desire('car-1', { chargeLimit: 80 });
    await soon(async () => expect((await rig.commands.findOne({ _id: command._id }))?.status).toBe('SENT'));
    const answer = (status: string) => rig.say('car-1', JSON.stringify({ id: command._id, status }));
    await Promise.all(['REJECTED', 'ACCEPTED', 'REJECTED', 'ACCEPTED'].map(answer));
    await soon(() => expect(bridge.status().answers).toMatchObject({ applied: 1, repeated: 1, late: 2 }));
    expect((await rig.commands.findOne({ _id: command._id }))?.timeline.map(({ status }) => status)).toEqual([
      'QUEUED',
      'SENT',
      'REJECTED',
    ]);
    expect((await rig.cars.findOne({ _id: 'car-1' }))?.accepted).toBeUndefined();
  });

  it('do not bring back anything of a car that was erased', async () => {
    const bridge = rig.start();
    const command = await rig.desire('car-1', { chargeLimit: 80 });
    await soon(async () => expect((await rig.commands.findOne({ _id: command._id }))?.status).toBe('SENT'));
    await rig.commands.deleteMany({ car: 'car-1' });
    await rig.cars.deleteMany({ _id: 'car-1' });
    await rig.say('car-1', JSON.stringify({ id: command._id, status: 'ACCEPTED' }));
    await soon(() => expect(bridge.status().answers.unknown).toBe(1));
    expect([await rig.commands.countDocuments(), await rig.cars.countDocuments()]).toEqual([0, 0]);
  });
});

describe('the state machine', () => {
  /** What may follow what. */
  const NEXT: Readonly<Record<CommandStatus, readonly CommandStatus[]>> = {
    QUEUED: ['SENT', 'ACCEPTED', 'REJECTED', 'EXPIRED'],
    SENT: ['ACCEPTED', 'REJECTED', 'EXPIRED'],
    ACCEPTED: [],
    REJECTED: [],
    EXPIRED: [],
  };

  it('takes no other way, whatever bridges, cars, operators and clocks do at the same time', async () => {
    let seed = 7;
    const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
    const stores = [1, 2, 3].map(() => new CommandStore(rig.database.collections, 5));
    const car = (n: number) => `car-${n % 3}`;
    const known: { id: string; car: string }[] = [];
    const clock = () => new Date(Date.now() + random(4_000));
    const acts = [
      async () => {
        const { _id: id, car: whose } = await rig.desire(
          car(random(3)),
          { chargeLimit: 50 + random(50) },
          1 + random(12_000),
        );
        known.push({ id, car: whose });
      },
      async () => {
        const store = stores[random(3)] as CommandStore;
        const claimed = await store.claim(randomUUID(), clock(), 1 + random(5));
        if (random(3) > 0) await store.published(claimed, clock());
        else await store.release(claimed, String(claimed[0]?.claim), clock());
      },
      async () => {
        // Mostly of late ones, which may still change.
        const some = Array.from({ length: 1 + random(4) }, () => known.at(-1 - random(Math.min(6, known.length || 1))));
        const answers = some.flatMap((one) =>
          one ? [{ ...one, status: random(2) ? ('ACCEPTED' as const) : ('REJECTED' as const), reason: null }] : [],
        );
        if (answers.length > 0) await (stores[random(3)] as CommandStore).answered(answers, clock());
      },
      async () => void (await expireCommands(rig.commands, clock())),
    ];
    for (let turn = 0; turn < 40; turn += 1)
      await Promise.all(Array.from({ length: 5 }, () => (acts[random(acts.length)] as () => Promise<void>)()));
    const all = await rig.commands.find().sort({ car: 1, version: 1 }).toArray();
    expect(all.length).toBeGreaterThan(20);
    const seen = new Set<string>();
    for (const { timeline, status, nextAt, version, supersededBy, car: whose } of all) {
      const way = timeline.map((step) => step.status);
      expect([way[0], way.at(-1)]).toEqual(['QUEUED', status]);
      for (const [place, one] of way.slice(1).entries()) expect(NEXT[way[place] as CommandStatus]).toContain(one);
      if (nextAt) expect([status === 'QUEUED' || status === 'SENT', supersededBy]).toEqual([true, undefined]);
      seen.add(way.join(' '));
      const newest = Math.max(...all.filter((one) => one.car === whose).map((one) => one.version));
      if (version < newest && (status === 'QUEUED' || status === 'SENT')) expect(supersededBy).toBe(version + 1);
    }
    // All ways were walked, or this shows little.
    expect([...seen].toSorted()).toEqual(
      expect.arrayContaining([
        'QUEUED SENT ACCEPTED',
        'QUEUED SENT REJECTED',
        'QUEUED EXPIRED',
        'QUEUED ACCEPTED',
      ]) as string[],
    );
    for (const { _id, desired, accepted } of await rig.cars.find().toArray()) {
      const own = all.filter((one) => one.car === _id);
      expect(desired?.version).toBe(own.length);
      expect(own.map(({ version }) => version)).toEqual(own.map((_one, place) => place + 1));
      expect(own.map(({ at }) => at.getTime())).toEqual(
        [...new Set(own.map(({ at }) => at.getTime()))].toSorted((a, b) => a - b),
      );
      const newest = Math.max(0, ...own.filter(({ status }) => status === 'ACCEPTED').map(({ version }) => version));
      expect(accepted?.version ?? 0).toBeGreaterThanOrEqual(newest);
    }
  });
});
