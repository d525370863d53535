import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { arrayCard } from '../../src/score/array-card.js';
import { readArrayCsv } from '../../src/score/array-csv.js';
import { writeArrayFolder } from '../../src/score/array-folder.js';
import { readH2oFile, type H2oFile } from '../../src/score/h2o-file.js';
import { importH2o } from '../../src/score/import-h2o.js';
import { ECG_DATA, ECG_WEIGHTS, aFolderOf, anH2oFile, hasEcgData, plainErrors } from '../builders/h2o.js';
import { World, serversOfSuite, until } from './world.js';

/** The public electrocardiograms where they are at hand, otherwise arrays around the means of a small model. */
interface Case {
  readonly file: H2oFile;
  readonly arrays: readonly (readonly number[])[];
}

let world: World;
let dir: string;
let model: string;
let hearts: Case;

beforeAll(() => {
  hearts = hasEcgData() ? publicHearts() : madeHearts();
  const weights = aFolderOf(hearts.file);
  ({ dir } = weights);
  const options = { name: 'ecg', score: 'raw', threshold: 2, command: 'the test' } as const;
  const { folder } = importH2o(weights.file, options);
  model = join(dir, 'model');
  writeArrayFolder(model, folder, arrayCard(folder.metadata));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));
beforeEach(() => {
  world = new World(serversOfSuite());
});
afterEach(() => world.close());

function publicHearts(): Case {
  const { file } = readH2oFile(ECG_WEIGHTS);
  return { file, arrays: readArrayCsv(join(ECG_DATA, 'ecg_discord_test.csv'), 210).map((values) => [...values]) };
}

function madeHearts(): Case {
  const file = anH2oFile();
  return {
    file,
    arrays: Array.from({ length: 23 }, (_, row) => file.means.map((mean, i) => mean + Math.sin(row * i))),
  };
}

const payload = (sender: string, values: readonly (number | string)[]) => Buffer.from(`${sender},${values.join('# ')}`);
const record = (value: Buffer | null) => ({ key: null, value });

function badRecords(): { reason: string; value: Buffer | null }[] {
  const [one = []] = hearts.arrays;
  return [
    { reason: 'TOO_SHORT', value: payload('short', one.slice(1)) },
    { reason: 'TOO_LONG', value: payload('long', [...one, 1]) },
    {
      reason: 'NOT_A_NUMBER',
      value: payload(
        'text',
        one.map((value, i) => (i === 3 ? 'three' : value)),
      ),
    },
    {
      reason: 'NOT_FINITE',
      value: payload(
        'nan',
        one.map((value, i) => (i === 3 ? 'NaN' : value)),
      ),
    },
    { reason: 'NO_ID', value: payload('', one) },
    { reason: 'BAD_ID', value: payload('two words', one) },
    { reason: 'EMPTY', value: Buffer.from('') },
    { reason: 'EMPTY', value: Buffer.from('nothing,') },
    { reason: 'TOMBSTONE', value: null },
  ];
}

const withArrays = () => ({ ARRAY_TOPICS: `${world.topics.arrays}=${model}` });
/** What the log holds: a producer that was not answered sends again, and then its records are there twice. */
async function inLog(): Promise<{ good: number; bad: number }> {
  const all = await world.records(world.topics.arrays);
  const good = all.filter(({ value }) => value?.toString().startsWith('heart-') === true).length;
  return { good, bad: all.length - good };
}
const rows = () => world.database.collections.arrayReadings.find().sort({ _id: 1 }).toArray();
const stored = (count: number) =>
  until(
    () => world.database.collections.arrayReadings.countDocuments(),
    (n) => n === count,
  );
const letters = () => world.records(world.topics.deadLetters);
const idsOf = async (topic: string, header: string) =>
  new Set((await world.records(topic)).map(({ headers }) => String(headers?.[header])));
const near = (got: number | undefined, wanted: number) =>
  Math.abs((got ?? NaN) - wanted) <= 1e-12 * Math.max(1, Math.abs(wanted));

it('arrays are scored as their file expects, stored and published; bad ones become dead letters', async () => {
  const service = world.start(withArrays());
  const url = await service.url;
  const bad = badRecords();
  const good = hearts.arrays.map((values, row) => record(payload(`heart-${row}`, values)));
  await world.produce([...good, ...bad.map(({ value }) => record(value))], world.topics.arrays);
  const log = await inLog();
  await stored(log.good);
  await until(letters, (all) => all.length === log.bad);

  const wanted = hearts.arrays.map((values) => plainErrors(hearts.file, values));
  for (const { sender, score, values, topic } of await rows()) {
    const row = Number(sender.split('-')[1]);
    const errors = wanted[row] ?? { raw: NaN, standardised: NaN };
    expect(topic).toBe(world.topics.arrays);
    expect(values).toEqual(hearts.arrays[row]);
    expect(near(score?.errors.raw, errors.raw) && near(score?.errors.standardised, errors.standardised)).toBe(true);
    expect(score).toMatchObject({ value: score?.errors.raw, threshold: 2, anomalous: errors.raw > 2 });
    expect(score?.model).toMatch(/^ecg@[0-9a-f]{8}$/);
    const expected = hearts.file.expected['ecg_discord_test']?.score_raw[row];
    if (expected !== undefined) expect(near(score?.value, expected)).toBe(true);
  }

  const predictions = await until(
    () => world.records(world.topics.predictions),
    (all) => all.length >= log.good,
  );
  const published = predictions.map(({ value }) => JSON.parse(String(value)) as Record<string, unknown>);
  for (const { _id, sender, score } of await rows())
    expect(published.find(({ id }) => id === _id)).toMatchObject({
      sender,
      score: score?.value,
      anomalous: score?.anomalous,
      position: { topic: world.topics.arrays },
    });
  expect(published).toHaveLength(log.good);
  expect(new Set(published.map(({ sender }) => sender)).size).toBe(good.length);

  const told = (await letters()).map(({ headers, value }) => [
    String(headers?.['dlq-reason']),
    value?.toString() ?? null,
  ]);
  const wantedLetters = bad.map(({ reason, value }) => String([reason, value?.toString() ?? null]));
  expect(new Set(told.map(String))).toEqual(new Set(wantedLetters));
  for (const { headers } of await letters())
    expect(String(headers?.['dlq-id'])).toMatch(new RegExp(`^${world.topics.arrays}/0000\\d/\\d{16}$`));

  const count = (outcome: string) =>
    `fleet_twin_array_records_total{topic="${world.topics.arrays}",outcome="${outcome}"}`;
  const metrics = await until(
    async () => (await fetch(`${url}/metrics`)).text(),
    (text) => text.includes(`${count('received')} ${log.good + log.bad}`),
  );
  expect(metrics).toContain(`${count('stored')} ${log.good}`);
  expect(metrics).toContain(`${count('rejected')} ${log.bad}`);
  expect(metrics).toContain(`fleet_twin_array_rejected_total{topic="${world.topics.arrays}",reason="EMPTY"}`);
  // No array becomes a twin, and the sensor topic's counts are its own.
  expect(await world.database.collections.twins.countDocuments()).toBe(0);
  expect(metrics).toContain('fleet_twin_received_total 0');
  await service.end();
});

const GOOD = 600;
const EVERY = 20;

it('kill -9 at every step, and all of it read again, leaves each array stored once', async () => {
  const bad = badRecords();
  const all = Array.from({ length: GOOD }, (_, index) => {
    const values = hearts.arrays[index % hearts.arrays.length] ?? [];
    const good = record(payload(`heart-${index}`, values));
    return index % EVERY === 0 ? [good, record(bad[(index / EVERY) % bad.length]?.value ?? null)] : [good];
  }).flat();
  const first = world.start(withArrays());
  await first.url;
  await first.end();
  await world.produce(all, world.topics.arrays);
  const log = await inLog();
  for (const step of ['decode', 'score', 'commit', 'dead-letter', 'publish']) {
    const doomed = world.start(withArrays(), `${step}:2:SIGKILL`);
    await doomed.url.catch(() => undefined);
    await doomed.exited;
  }
  const last = world.start(withArrays());
  await stored(log.good);
  const letterIds = () => idsOf(world.topics.deadLetters, 'dlq-id');
  await until(letterIds, (ids) => ids.size === log.bad);
  await until(
    () => idsOf(world.topics.predictions, 'id'),
    (ids) => ids.size === log.good,
  );
  await last.end();
  const before = await rows();
  expect(new Set(before.map(({ sender }) => sender)).size).toBe(GOOD);
  expect(new Set(before.map(({ _id }) => _id)).size).toBe(log.good);

  // Another group reads the topic from its beginning.
  const again = world.start({ ...withArrays(), KAFKA_GROUP_ID: `again-${world.id}` });
  const url = await again.url;
  const metrics = async () => (await fetch(`${url}/metrics`)).text();
  await until(metrics, (text) => text.includes(`outcome="duplicate"} ${log.good}`));
  await again.end();
  expect(await rows()).toEqual(before);
  expect(await idsOf(world.topics.predictions, 'id')).toEqual(new Set(before.map(({ _id }) => _id)));
  expect((await letterIds()).size).toBe(log.bad);
}, 300_000);

it('a folder without a model for arrays ends the start with one message', async () => {
  const service = world.start({ ARRAY_TOPICS: `${world.topics.arrays}=models/default` });
  await expect(service.url).rejects.toThrow(/no usable model in models\/default: its kind is autoencoder/);
  await service.exited;
  expect(service.child.exitCode).toBe(1);
});
