import { afterEach, beforeEach, expect, it } from 'vitest';
import { createDecoder } from '../../src/decode/decode.js';
import { windowStart } from '../../src/telemetry/window.js';
import { NOON, aReading, wireOf } from '../builders/sensor.js';
import { World, serversOfSuite, until } from './world.js';

const CARS = 7;
const READINGS = Array.from({ length: 600 }, (_, index) =>
  aReading({
    car: `car${index % CARS}`,
    at: NOON - 86_400_000 + index * 1_000,
    label: index % 3 === 0 ? null : index % 3 === 1,
    signals: { speed: index / 7, coolantTemp: index % 5 === 0 ? null : index },
  }),
);

let world: World;
beforeEach(() => {
  world = new World(serversOfSuite());
});
afterEach(() => world.close());

it('killed between commit and publish: every stored reading is in the topic as canonical Avro, and in the rollups', async () => {
  const settings = { NORMALISED_TOPIC: world.topics.normalised, BATCH_RECORDS: '50' };
  const doomed = world.start(settings, 'commit:3:SIGKILL');
  await doomed.url;
  const good = READINGS.map((reading) => ({ key: reading.car, value: wireOf(reading) }));
  // A bad record and one that was sent twice are no accepted readings.
  await world.produce([...good, { key: 'car1', value: Buffer.from('ERROR') }, ...good.slice(0, 1)]);
  await doomed.exited;
  expect(await world.settled()).toBeLessThan(READINGS.length);
  const service = world.start(settings);
  await service.url;
  await until(
    () => world.settled(),
    (settled) => settled === READINGS.length + 2,
  );
  const { positions, readings, rollupsFiveMinutes, rollupMarks } = world.database.collections;
  await until(
    () => positions.find().toArray(),
    (found) => found.every(({ next, published }) => next === published),
  );
  const records = await world.records(world.topics.normalised);
  const rows = await readings.find().toArray();
  const ids = new Set(records.map(({ headers }) => String(headers?.['id'])));
  expect(ids).toEqual(new Set(rows.map(({ _id }) => _id)));
  expect(rows).toHaveLength(READINGS.length);

  const decoder = createDecoder({ format: 'auto', maxBody: 262_144, clockAhead: 300_000 });
  const read = await decoder.decode(
    records.map(({ key, value, headers, timestamp }) => ({
      key,
      value,
      timestamp: Number(timestamp),
      headers: { 'content-type': Buffer.from(String(headers?.['content-type'])) },
    })),
  );
  const distinct = new Map(read.map(({ decoded }, index) => [String(records[index]?.headers?.['id']), decoded]));
  const byTime = [...distinct.values()].flatMap((decoded) => (decoded.kind === 'reading' ? [decoded.reading] : []));
  expect(byTime.sort((one, other) => one.at - other.at)).toEqual(READINGS);
  expect(records.every(({ key }, index) => key?.toString() === byCar(read[index]?.decoded))).toBe(true);

  await until(
    () => rollupMarks.countDocuments(),
    (marks) => marks === 0,
  );
  const counts = new Map<number, number>();
  for (const { at } of READINGS)
    counts.set(windowStart(at, 'FIVE_MINUTES'), (counts.get(windowStart(at, 'FIVE_MINUTES')) ?? 0) + 1);
  const fleet = await rollupsFiveMinutes
    .find({ car: { $exists: false } })
    .sort({ _id: 1 })
    .toArray();
  expect(fleet.map(({ at, readings: count }) => [at.getTime(), count])).toEqual([...counts]);
});

function byCar(
  decoded: Awaited<ReturnType<ReturnType<typeof createDecoder>['decode']>>[number]['decoded'] | undefined,
) {
  return decoded?.kind === 'reading' ? decoded.reading.car : null;
}
