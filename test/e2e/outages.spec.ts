import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { PartName } from '../../stack/part.js';
import { startStack, type Stack } from '../../stack/stack.js';
import { simulateFleet } from '../../src/simulator/fleet.js';
import { publishAll } from '../../src/simulator/publish.js';
import { World, until } from './world.js';

/** How long a server is away, ms. It is the subject of the test, and the only time that passes for its own sake. */
const AWAY = 20_000;
const RATE = 100;

let stack: Stack;
beforeAll(async () => {
  // Servers of its own, since it stops them.
  const env = { ...process.env, MONGODB_URI: undefined, KAFKA_BROKERS: undefined, MQTT_URL: undefined };
  stack = await startStack({ env, say: () => undefined, onDeath: () => undefined });
});
afterAll(() => stack?.stop());

it.for<PartName>(['mongodb', 'kafka', 'mqtt'])(
  '%s away for 20 s during traffic: everything resumes and nothing is lost',
  async (name, { skip }) => {
    if (stack.parts[name]?.server === 'aedes') skip('aedes keeps nothing over a restart');
    const world = new World(stack.urls);
    try {
      const service = world.start();
      await until(async () => (await fetch(`${await service.url}/health/ready`)).ok, Boolean);
      const messages = RATE * (AWAY / 1_000 + 10);
      const fleet = simulateFleet({ cars: 50, seed: 5, start: Date.now(), stepSeconds: 0.5, messages });
      const sent = publishAll(fleet, {
        url: stack.urls.mqttUrl,
        connections: 2,
        clientIdPrefix: `cars-${world.id}`,
        topicPrefix: world.mqttPrefix,
        rate: RATE,
      });
      await until(
        () => world.settled(),
        (settled) => settled > RATE,
      );
      const part = stack.parts[name];
      await part?.stop();
      await delay(AWAY);
      await part?.restart();
      await sent;
      const counts = await until(
        () => world.counts(),
        ({ stored }) => stored === messages,
        120_000,
      );
      expect(counts).toMatchObject({ stored: messages, rejected: 0, lost: 0 });
      expect(await world.database.collections.readings.countDocuments()).toBe(messages);
      await until(async () => (await fetch(`${await service.url}/health/ready`)).ok, Boolean);
      await service.end();
    } finally {
      await world.close();
    }
  },
);
