import { afterEach, beforeEach, expect, it } from 'vitest';
import { NOON, aReading, wireOf } from '../builders/sensor.js';
import { World, serversOfSuite, until } from './world.js';

let world: World;
beforeEach(() => {
  world = new World(serversOfSuite());
});
afterEach(() => world.close());

/** A charge alone, of a car that it knows nothing else of, tells the model nothing. */
const nothingToJudge = (second: number) =>
  Buffer.from(JSON.stringify({ timestamp: NOON + second * 1_000, battery_percentage: 50 }));

it('readings that no score can be given are stored with the reason, counted, and alarmed', async () => {
  const service = world.start({});
  const url = await service.url;
  const health = async () => {
    const response = await fetch(`${url}/health/ready`);
    return {
      code: response.status,
      ...((await response.json()) as { status: string; checks: Record<string, string> }),
    };
  };
  await world.produce([{ key: 'car1', value: wireOf(aReading({ car: 'car1', at: NOON })) }]);
  await until(
    () => world.settled(),
    (settled) => settled === 1,
  );
  await until(health, ({ code }) => code === 200);
  expect(await health()).toMatchObject({ status: 'ok', checks: { scoring: 'ok' } });

  await world.produce([1, 2, 3].map((second) => ({ key: `new${second}`, value: nothingToJudge(second) })));
  await until(health, ({ status }) => status === 'degraded');
  await until(
    () => world.settled(),
    (settled) => settled === 4,
  );
  const alarm = await until(health, ({ checks }) => checks['scoring']?.startsWith('3 ') === true);
  expect(alarm).toMatchObject({
    code: 200,
    status: 'degraded',
    checks: { scoring: expect.stringMatching(/^3 of the last .* no score: the model made no number of this reading$/) },
  });
  expect(await (await fetch(`${url}/metrics`)).text()).toContain('fleet_twin_unscored_total 3');
  expect(service.lines.filter((line) => line.includes('"readings go unscored"'))).toHaveLength(1);
  const rows = await world.database.collections.readings.find({ unscored: { $exists: true } }).toArray();
  expect(rows.map(({ unscored }) => unscored)).toEqual(Array(3).fill('the model made no number of this reading'));
});
