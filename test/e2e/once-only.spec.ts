import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { limitTransactions } from '../../stack/mongodb-probe.js';
import { STEPS } from '../../src/pipeline/observer.js';
import type { CarMessage } from '../../src/simulator/fleet.js';
import { publishAll } from '../../src/simulator/publish.js';
import { Random } from '../../src/simulator/random.js';
import { countOf, traffic } from './traffic.js';
import { World, serversOfSuite, until } from './world.js';

/** `KILLS=all` takes every step and twenty random instants, `REPLAY_CSV=FILE` a recording; the suite's own choice is shorter. */
const ALL = process.env['KILLS'] === 'all';
const KILLED_AT = STEPS.filter((step) => ALL || ['score', 'commit', 'publish'].includes(step));
const RANDOM_KILLS = ALL ? 20 : 2;

const fleet = () => traffic({ cars: 30, seed: 7, faults: 0.4, faultAfter: [5, 20], messages: 3_000 });

describe('effects happen once', () => {
  let world: World;
  // A killed process leaves transactions open; whoever comes after it waits for the server to end them.
  beforeAll(() => limitTransactions(serversOfSuite().mongodbUri, 2));
  afterAll(() => limitTransactions(serversOfSuite().mongodbUri, 10));
  beforeEach(() => {
    world = new World(serversOfSuite());
  });
  afterEach(() => world.close());

  const publish = (messages: readonly CarMessage[]) =>
    publishAll(messages, {
      url: world.servers.mqttUrl,
      connections: 2,
      clientIdPrefix: `cars-${world.id}`,
      topicPrefix: world.mqttPrefix,
    });

  it('kill -9 at every step of a batch and at random instants loses nothing and repeats nothing', async () => {
    const messages = await fleet();
    const total = messages.length;
    // The bridge's session has to be there before the first message is sent.
    const first = world.start();
    await first.url;
    await until(() => ready(first.url), Boolean);
    const sent = publish(messages);
    await first.end('SIGKILL');
    // A first batch is as small as what came until then; later ones are killed in the middle of the backlog.
    for (const step of KILLED_AT) {
      const doomed = world.start({ BATCH_RECORDS: '100' }, `${step === 'dead-letter' ? 'decode' : step}:3:SIGKILL`);
      await Promise.race([
        doomed.exited,
        until(
          () => world.settled(),
          (settled) => settled >= total,
        ),
      ]);
      await doomed.end('SIGKILL');
    }
    const random = new Random(3);
    for (let kill = 0; kill < RANDOM_KILLS; kill += 1) {
      const doomed = world.start({ BATCH_RECORDS: '50' });
      await doomed.url.catch(() => undefined);
      const settled = await world.settled();
      await until(
        () => world.settled(),
        (now) => now >= Math.min(total, settled + Math.floor(random.next() * 300)),
      );
      await doomed.end('SIGKILL');
    }
    const last = world.start();
    await sent;
    await until(
      () => world.counts(),
      ({ stored }) => stored === total,
      180_000,
    );
    await until(published, (all) => all);
    await last.end();

    const { readings, twins, anomalies, events } = world.database.collections;
    expect(await readings.countDocuments()).toBe(total);
    const newest = new Map(messages.map((message) => [message.car, message]));
    for (const [car, { at, signals }] of newest)
      expect(await twins.findOne({ _id: car })).toMatchObject({
        reported: { at: new Date(at), signals },
        counters: { readings: countOf(messages, car) },
      });

    const opened = await events.find({ event: 'OPENED' }).toArray();
    expect(new Set(opened.map(({ episode }) => episode)).size).toBe(opened.length);
    expect(await anomalies.countDocuments()).toBe(opened.length);
    expect(opened.length).toBeGreaterThan(0);

    const ids = async (topic: string) =>
      new Set((await world.records(topic)).map(({ headers }) => String(headers?.['id'])));
    const rows = await readings.find({}, { projection: { _id: 1 } }).toArray();
    expect(await ids(world.topics.predictions)).toEqual(new Set(rows.map(({ _id }) => _id)));
    const all = await events.find({}, { projection: { _id: 1 } }).toArray();
    expect(await ids(world.topics.anomalies)).toEqual(new Set(all.map(({ _id }) => _id)));
  }, 1_800_000);

  async function published(): Promise<boolean> {
    const positions = await world.database.collections.positions.find().toArray();
    return positions.every((one) => one.published === one.next && one.eventsPublished === one.eventSequence);
  }

  it('a process that is stopped in the middle of a batch, loses its partitions and wakes up changes nothing', async () => {
    const messages = await fleet();
    const total = messages.length;
    const sleeper = world.start({ BATCH_RECORDS: '100' }, 'score:4:SIGSTOP');
    await until(() => ready(sleeper.url), Boolean);
    const sent = publish(messages);
    await until(() => isStopped(sleeper.child.pid ?? 0), Boolean);
    const owner = world.start({ MQTT_CLIENT_ID: `owner-${world.id}` });
    await owner.url;
    await until(
      () => world.counts(),
      ({ stored = 0 }) => stored > total / 2,
    );
    // What the broker handed to the sleeper stays with its session until the sleeper is back.
    const before = await world.counts();
    sleeper.signal('SIGCONT');
    await sent;
    await until(
      () => world.counts(),
      ({ stored }) => stored === total,
    );
    expect(before['stored']).toBeLessThanOrEqual(total);
    await owner.end();
    await sleeper.end();
    const { readings, twins, anomalies, events } = world.database.collections;
    expect(await readings.countDocuments()).toBe(total);
    for (const { _id, counters } of await twins.find().toArray())
      expect(counters).toMatchObject({ readings: countOf(messages, _id) });
    expect(await anomalies.countDocuments()).toBe(await events.countDocuments({ event: 'OPENED' }));
  });
});

async function ready(url: Promise<string>): Promise<boolean> {
  return (await fetch(`${await url}/health/ready`)).ok;
}

async function isStopped(pid: number): Promise<boolean> {
  const { readFile } = await import('node:fs/promises');
  return / T /.test((await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')).replace(/^\d+ \(.*\)/, ''));
}
