import { afterEach, beforeEach, expect, it } from 'vitest';
import { BAD_MESSAGES } from '../fixtures/messages/bad.js';
import { NOON, aReading, wireOf } from '../builders/sensor.js';
import { World, serversOfSuite, until } from './world.js';

const GOOD = 1_000;
const BAD = 50;
const CARS = 20;

/** One of every reason first, then the others. */
const FIRST = BAD_MESSAGES.filter(
  ({ reason }, index) => BAD_MESSAGES.findIndex((one) => one.reason === reason) === index,
);
const EVERY_KIND = [...FIRST, ...BAD_MESSAGES.filter((one) => !FIRST.includes(one))];

let world: World;
beforeEach(() => {
  world = new World(serversOfSuite());
});
afterEach(() => world.close());

const good = (index: number) => {
  const car = `car${index % CARS}`;
  return { key: car, value: wireOf(aReading({ car, at: NOON + index * 1_000, signals: { speed: index } })) };
};

it('1,000 good messages with 50 bad ones among them: 1,000 stored, 50 dead letters with their reasons, order per car kept', async () => {
  const service = world.start({ SENSOR_FORMAT: 'auto', EPISODE_OPEN: '1' });
  await service.url;
  const bad = Array.from({ length: BAD }, (_, index) => {
    const message = EVERY_KIND[index % EVERY_KIND.length];
    if (!message) throw new Error('there are no bad messages');
    return message;
  });
  const all = Array.from({ length: GOOD }, (_, index) => [
    good(index),
    ...(index % 20 === 7 ? [bad[(index - 7) / 20]] : []),
  ]).flat();
  await world.produce(
    all.map((one) => ({
      key: one?.key ?? null,
      value: one?.value ?? null,
      ...('headers' in (one ?? {}) ? { headers: (one as { headers?: Record<string, string> }).headers ?? {} } : {}),
    })),
  );
  await until(
    () => world.settled(),
    (settled) => settled === GOOD + BAD,
  );
  expect(await world.counts()).toMatchObject({ stored: GOOD, rejected: BAD, duplicate: 0, late: 0 });

  const letters = await world.records(world.topics.deadLetters);
  const told = letters.map(({ headers, key, value }) => [
    String(headers?.['dlq-reason']),
    key?.toString('hex'),
    value?.toString('hex'),
  ]);
  const wanted = bad.map(({ reason, key, value }) => [reason, hexOf(key), hexOf(value)]);
  expect(told.map(String).sort()).toEqual(wanted.map(String).sort());
  for (const { headers } of letters)
    expect(Object.keys(headers ?? {})).toEqual(
      expect.arrayContaining(['dlq-stage', 'dlq-topic', 'dlq-partition', 'dlq-offset']),
    );

  // Order per car: nothing was late, and the newest of each car is the last that was sent.
  for (let car = 0; car < CARS; car += 1)
    expect(await world.database.collections.twins.findOne({ _id: `car${car}` })).toMatchObject({
      reported: { signals: { speed: GOOD - CARS + car } },
      counters: { readings: GOOD / CARS, late: 0 },
    });
  await service.end();
});

function hexOf(value: Buffer | string | null): string | undefined {
  if (value === null) return undefined;
  return Buffer.from(value).toString('hex');
}
