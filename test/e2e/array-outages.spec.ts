import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startStack, type Stack } from '../../stack/stack.js';
import { arrayCard } from '../../src/score/array-card.js';
import { writeArrayFolder } from '../../src/score/array-folder.js';
import { importH2o } from '../../src/score/import-h2o.js';
import { aFolderOf, anH2oFile } from '../builders/h2o.js';
import { World, until } from './world.js';

/** How long a server is away, ms. It is the subject of the test. */
const AWAY = 8_000;
const PART = 300;
const WIDTH = 6;

let stack: Stack;
let dir: string;
beforeAll(async () => {
  // Servers of its own, since it stops them.
  const env = { ...process.env, MONGODB_URI: undefined, KAFKA_BROKERS: undefined, MQTT_URL: undefined };
  stack = await startStack({ env, say: () => undefined, onDeath: () => undefined });
  const weights = aFolderOf(anH2oFile());
  ({ dir } = weights);
  const { folder } = importH2o(weights.file, { name: 'small', score: 'raw', threshold: 1, command: 'the test' });
  writeArrayFolder(join(dir, 'model'), folder, arrayCard(folder.metadata));
});
afterAll(async () => {
  await stack?.stop();
  rmSync(dir, { recursive: true, force: true });
});

it('MongoDB and then Kafka away: arrays and their dead letters are late, and none is lost or stored twice', async () => {
  const world = new World(stack.urls);
  try {
    const topic = world.topics.arrays;
    const service = world.start({ ARRAY_TOPICS: `${topic}=${join(dir, 'model')}`, ROLES: 'ingest' });
    await service.url;
    let sent = 0;
    const produce = async () => {
      const values = (index: number) => Array.from({ length: WIDTH - (index % 10 === 0 ? 1 : 0) }, (_, i) => index + i);
      const bodies = Array.from({ length: PART }, (_, n) => `s${sent + n},${values(sent + n).join('# ')}`);
      await world.produce(
        bodies.map((body) => ({ key: null, value: Buffer.from(body) })),
        topic,
      );
      sent += PART;
    };
    const { arrayReadings } = world.database.collections;
    // The log tells: a producer that was not answered sends again, and then its records are there twice.
    const log = async () => {
      const indexes = (await world.records(topic)).map(({ value }) => Number(/^s(\d+),/.exec(String(value))?.[1]));
      const good = indexes.filter((index) => index % 10 !== 0).length;
      return { good, bad: indexes.length - good };
    };
    const stored = async () => {
      const { good } = await log();
      await until(
        () => arrayReadings.countDocuments().catch(() => -1),
        (count) => count === good,
        120_000,
      );
    };
    await produce();
    await stored();

    await stack.parts['mongodb']?.stop();
    await produce();
    await delay(AWAY);
    await stack.parts['mongodb']?.restart();
    await stored();

    await stack.parts['kafka']?.stop();
    await delay(AWAY);
    await stack.parts['kafka']?.restart();
    await produce();
    await stored();

    const senders = await arrayReadings.distinct('sender');
    expect(senders.length).toBe(sent * 0.9);
    const letterIds = async () =>
      new Set((await world.records(world.topics.deadLetters)).map(({ headers }) => String(headers?.['dlq-id'])));
    const { bad } = await log();
    await until(letterIds, (ids) => ids.size === bad);
    await service.end();
  } finally {
    await world.close();
  }
});
