import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { kafkaClient } from '../../src/kafka/client.js';
import { readSlots } from '../../src/registry/slots.js';
import { simulateFleet } from '../../src/simulator/fleet.js';
import { encodeMessage } from '../../src/simulator/wire.js';
import { openDatabase, prepareDatabase, type Database } from '../../src/twin/database.js';
import { until } from '../e2e/world.js';

const brokers = process.env['KAFKA_BROKERS'] ?? '';
const CLI = 'dist/src/cli/main.js';

let topic: string;
let database: Database;
let child: ChildProcess | null = null;
const client = () => kafkaClient({ brokers: brokers.split(','), clientId: 'train-every', log: () => undefined }).kafka;

beforeEach(async () => {
  topic = `every-${randomUUID().slice(0, 8)}`;
  database = openDatabase(process.env['MONGODB_URI'] ?? '', topic, 'train-every');
  await prepareDatabase(database, 0);
  const admin = client().admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 2 }] });
  await admin.disconnect();
});
afterEach(async () => {
  if (child?.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  const admin = client().admin();
  await admin.connect();
  await admin.deleteTopics({ topics: [topic] });
  await admin.disconnect();
  await database.db.dropDatabase();
  await database.client.close();
});

/** Of 60 cars, half of them failing before long, as of today. */
async function send(seed: number): Promise<void> {
  const messages = simulateFleet({
    cars: 60,
    seed,
    start: Date.now() - 3_600_000,
    stepSeconds: 10,
    messages: 6_000,
    faults: 0.5,
    faultAfter: [10, 40],
  });
  const producer = client().producer();
  await producer.connect();
  const records = [...messages].map((one) => ({ key: one.car, value: encodeMessage(one) }));
  for (let at = 0; at < records.length; at += 1_000)
    await producer.send({ topic, messages: records.slice(at, at + 1_000) });
  await producer.disconnect();
}

it('train --every registers a challenger each time, judged beside the model in use, the newest in the shadow', async () => {
  const { models } = database.collections;
  const flags = [
    '--every',
    '2s',
    '--since',
    '1h',
    '--shadow',
    '--epochs',
    '1',
    '--quantile',
    '0.99',
    '--name',
    'nightly',
  ];
  const env = { ...process.env, MONGODB_DATABASE: topic };
  const running = spawn(process.execPath, [CLI, 'train', '--from-kafka', topic, ...flags], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  child = running;
  const lines: string[] = [];
  running.stderr.on('data', (text: Buffer) => lines.push(String(text)));
  // Nothing to train on is no reason to end.
  await until(
    () => Promise.resolve(lines.join('')),
    (said) => said.includes('this round made no challenger: there is no record in that window'),
  );
  await send(1);
  await until(
    () => models.countDocuments(),
    (count) => count === 1,
  );
  await send(2);
  await until(
    () => models.countDocuments(),
    (count) => count >= 2,
  );
  const [newest] = await models.find().sort({ registeredAt: -1 }).toArray();
  expect(newest?.note).toMatch(
    /^nightly@\w+ flags [\d.]+ % of \d+ labelled as normal readings, [\d.]+ episodes per 1,000 car-hours, ROC-AUC 0\.\d+, .*; default@\w+ flags/,
  );
  await until(
    () => readSlots(database),
    ({ shadows }) => shadows.length === 1 && shadows[0] === newest?._id,
  );
  expect((await readSlots(database)).champion).toBeNull();
  running.kill('SIGINT');
  const [code] = (await once(running, 'exit')) as [number];
  expect(code).toBe(0);
});
