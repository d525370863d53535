import { createClient, type Client } from 'graphql-ws';
import { afterEach, beforeEach, expect, it } from 'vitest';
import WebSocket from 'ws';
import { simulateFleet } from '../../src/simulator/fleet.js';
import { publishAll } from '../../src/simulator/publish.js';
import { World, serversOfSuite, until } from './world.js';

const MESSAGES = 2_000;

let world: World;
let client: Client | undefined;
beforeEach(() => {
  world = new World(serversOfSuite());
});
afterEach(async () => {
  await client?.dispose();
  await world.close();
});

it('bridge, ingest and API are processes of their own, and a subscriber receives every anomaly event once', async () => {
  const api = world.start({ ROLES: 'api', KAFKA_BROKERS: '127.0.0.1:1', MQTT_URL: 'mqtt://127.0.0.1:1' });
  const ingest = world.start({ ROLES: 'ingest', MQTT_URL: 'mqtt://127.0.0.1:1' });
  const bridge = world.start({ ROLES: 'bridge', MONGODB_URI: 'mongodb://127.0.0.1:1/' });
  const url = await api.url;
  await Promise.all([ingest.url, bridge.url]);
  await until(async () => (await fetch(`${await bridge.url}/health/ready`)).ok, Boolean);

  const received: string[] = [];
  client = createClient({ url: `${url.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket });
  await subscribed(client, received);

  const fleet = simulateFleet({
    cars: 40,
    seed: 11,
    start: Date.UTC(2026, 0, 1),
    stepSeconds: 10,
    faults: 0.5,
    faultAfter: [3, 10],
    messages: MESSAGES,
  });
  await publishAll(fleet, {
    url: world.servers.mqttUrl,
    connections: 2,
    clientIdPrefix: `cars-${world.id}`,
    topicPrefix: world.mqttPrefix,
  });
  await until(
    () => world.counts(),
    ({ stored }) => stored === MESSAGES,
  );

  const events = await world.database.collections.events.find().toArray();
  expect(events.length).toBeGreaterThan(10);
  await until(
    () => Promise.resolve(received.length),
    (length) => length >= events.length,
  );
  const wanted = events.map(({ episode, event, at }) => `${episode} ${event} ${at.toISOString()}`);
  expect(received.toSorted()).toEqual(wanted.toSorted());

  const answer = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      query: '{ car(id: "car1") { id counters { readings } history(first: 500) { nodes { at } } } }',
    }),
  });
  const { data } = (await answer.json()) as {
    data: { car: { counters: { readings: number }; history: { nodes: unknown[] } } };
  };
  expect(data.car.counters.readings).toBe(MESSAGES / 40);
  expect(data.car.history.nodes).toHaveLength(MESSAGES / 40);
});
