import { afterEach, beforeEach, expect, it } from 'vitest';
import { publishAll } from '../../src/simulator/publish.js';
import { NOON, aReading, wireOf } from '../builders/sensor.js';
import { Subscriber } from '../builders/subscriber.js';
import { countOf, traffic } from './traffic.js';
import { World, serversOfSuite, until } from './world.js';

let world: World;
const subscribers: Subscriber<unknown>[] = [];
beforeEach(() => {
  world = new World(serversOfSuite());
});
afterEach(async () => {
  await Promise.all(subscribers.splice(0).map((one) => one.close()));
  await world.close();
});

it('bridge, ingest and API are processes of their own, and a subscriber receives every anomaly event once', async () => {
  const nowhere = { mqtt: 'mqtt://127.0.0.1:1', kafka: '127.0.0.1:1', mongodb: 'mongodb://127.0.0.1:1/' };
  const api = world.start({ ROLES: 'api', KAFKA_BROKERS: nowhere.kafka, MQTT_URL: nowhere.mqtt });
  const ingest = world.start({ ROLES: 'ingest', MQTT_URL: nowhere.mqtt });
  const bridge = world.start({ ROLES: 'bridge', MONGODB_URI: nowhere.mongodb });
  const url = await api.url;
  await Promise.all([ingest.url, bridge.url]);
  await until(async () => (await fetch(`${await bridge.url}/health/ready`)).ok, Boolean);

  const anomalies = new Subscriber<{ anomalyId: string; event: string; at: string }>(
    url,
    'subscription { anomalies { ... on AnomalyEvent { anomalyId event at } } }',
  );
  const updates = new Subscriber(url, 'subscription { carUpdates { ... on CarUpdate { cursor } } }');
  subscribers.push(anomalies, updates);
  // A car that arrives at the second subscription shows that the first one is there, too.
  const probes = await probe(updates);

  const messages = await traffic({ cars: 40, seed: 11, faults: 0.5, faultAfter: [3, 10], messages: 2_000 });
  const cars = { url: world.servers.mqttUrl, connections: 2, clientIdPrefix: `cars-${world.id}` };
  await publishAll(messages, { ...cars, topicPrefix: world.mqttPrefix });
  await until(
    () => world.counts(),
    ({ stored = 0 }) => stored >= messages.length + probes,
  );

  const events = await world.database.collections.events.find().toArray();
  expect(events.length).toBeGreaterThan(10);
  await anomalies.until(({ items }) => items.length >= events.length);
  const received = anomalies.items.map(({ anomalyId, event, at }) => `${anomalyId} ${event} ${at}`);
  const wanted = events.map(({ episode, event, at }) => `${episode} ${event} ${at.toISOString()}`);
  expect(received.toSorted()).toEqual(wanted.toSorted());

  // What somebody does at the API comes to subscribers through ingest.
  const handled = String(events[0]?.episode);
  await post(url, `mutation { acknowledgeAnomaly(id: "${handled}", by: "anna") { id } }`);
  await anomalies.until(({ items }) => items.length > events.length);
  expect(anomalies.items.at(-1)).toMatchObject({ anomalyId: handled, event: 'ACKNOWLEDGED' });

  const query = '{ car(id: "car1") { counters { readings } history(first: 500) { nodes { at } } } }';
  const answer = await post(url, query);
  const { data } = (await answer.json()) as {
    data: { car: { counters: { readings: number }; history: { nodes: unknown[] } } };
  };
  expect(data.car.counters.readings).toBe(countOf(messages, 'car1'));
  expect(data.car.history.nodes).toHaveLength(countOf(messages, 'car1'));
});

function post(url: string, query: string): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(`${url}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query }) });
}

/** Sends readings of one car until the subscription shows it; gives how many. */
async function probe(updates: Subscriber<unknown>): Promise<number> {
  for (let probes = 1; ; probes += 1) {
    const reading = aReading({ car: 'probe', at: NOON + probes * 1_000 });
    await world.produce([{ key: 'probe', value: wireOf(reading) }]);
    await until(
      () => world.settled(),
      (settled) => settled >= probes,
    );
    await updates.until(({ items }) => items.length > 0, 1_000).catch(() => undefined);
    if (updates.items.length > 0) return probes;
  }
}
