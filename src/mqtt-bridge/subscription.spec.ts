import { once } from 'node:events';
import { afterEach, expect, it } from 'vitest';
import {
  type Answers,
  type BrokerConnection,
  type ScriptedBroker,
  startScriptedBroker,
} from '../../test/scripted-broker.js';
import { MqttConnection, MqttError } from './mqtt-connection.js';
import { Subscription, type SubscriptionMode } from './subscription.js';

const { signal } = new AbortController();
const MOSQUITTO = 'mosquitto version 2.0.11';
const SHARED = '$share/group/cars/#';

let broker: ScriptedBroker;
const opened: MqttConnection[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((connection) => connection.end()));
  await broker.close();
});

it('is plain at mosquitto, which forgets the others when it restarts, and says that only one bridge may run', async () => {
  const subscription = await subscriptionAt({ version: () => MOSQUITTO });
  const { subscribed, far } = await subscribe(subscription);
  expect(subscribed.filter).toBe('cars/#');
  expect(subscribed.note).toContain(`${MOSQUITTO} forgets shared subscriptions when it restarts: run one bridge only`);
  expect(far.subscriptions).toEqual(['+cars/#', `-${SHARED}`]);
});

it.each([
  ['another broker', { version: () => 'somebroker version 1' }],
  ['one that does not say what it is', {}],
])('is shared at %s', async (_name, answers) => {
  const { subscribed, far } = await subscribe(await subscriptionAt(answers));
  expect(subscribed).toEqual({ filter: SHARED, note: '' });
  expect(far.subscriptions).toEqual([`+${SHARED}`, '-cars/#']);
});

it.each([
  ['shared', SHARED],
  ['plain', 'cars/#'],
] as const)('is %s where that is wanted, without asking', async (mode, filter) => {
  const unasked = { version: () => expect.unreachable('nobody has to ask') };
  const { subscribed } = await subscribe(await subscriptionAt(unasked, mode));
  expect(subscribed.filter).toBe(filter);
});

it('is plain, and says so, where shared ones are refused', async () => {
  const { subscribed, far } = await subscribe(await subscriptionAt({ suback: 158 }));
  expect(subscribed.note).toBe('the broker has no shared subscriptions: run one bridge only');
  expect(far.subscriptions).toEqual([`+${SHARED}`, '+cars/#', `-${SHARED}`]);
});

it('asks once, and again when the broker lost the session: after it has subscribed as before', async () => {
  let version = 'somebroker version 1';
  const subscription = await subscriptionAt({ version: () => version });
  version = MOSQUITTO;
  expect((await subscribe(subscription)).subscribed.filter).toBe(SHARED);
  subscription.doubt();
  const { subscribed, far } = await subscribe(subscription);
  expect(subscribed.filter).toBe('cars/#');
  expect(far.subscriptions).toEqual([`+${SHARED}`, '-cars/#', '+cars/#', `-${SHARED}`]);
});

it('does not take a broker that is not there for one that says nothing', async () => {
  const subscription = await subscriptionAt({ version: () => MOSQUITTO }, 'auto', false);
  await broker.close();
  await expect(subscription.choose(signal)).rejects.toEqual(expect.objectContaining({ code: 'UNREACHABLE' }));
  await expect(subscription.choose(signal)).rejects.toBeInstanceOf(MqttError);
});

it('does not take a connection that breaks for an answer', async () => {
  const subscription = await subscriptionAt({ version: () => MOSQUITTO, cutAtVersion: true }, 'auto', false);
  await expect(subscription.choose(signal)).rejects.toEqual(expect.objectContaining({ code: 'UNREACHABLE' }));
});

function options() {
  const url = `mqtt://127.0.0.1:${broker.port}`;
  return { url, clientId: 'spec', sessionExpiry: 60, receiveMaximum: 10, shareGroup: 'group' };
}

async function subscriptionAt(answers: Answers, mode: SubscriptionMode = 'auto', chosen = true): Promise<Subscription> {
  broker = await startScriptedBroker(answers);
  const subscription = new Subscription({ ...options(), subscription: mode, filter: 'cars/#' });
  if (chosen) await subscription.choose(signal);
  return subscription;
}

/** On a new connection; resolves when the form that was not wanted is given up. */
async function subscribe(subscription: Subscription) {
  const connection = await MqttConnection.open(options(), 5, () => null, signal);
  opened.push(connection);
  const next = broker.next();
  const subscribed = await subscription.subscribe(connection, signal);
  const far = await next;
  await lastGivenUp(far, subscribed.filter === SHARED ? '-cars/#' : `-${SHARED}`);
  return { subscribed, far };
}

async function lastGivenUp(far: BrokerConnection, filter: string): Promise<void> {
  while (far.subscriptions.at(-1) !== filter) await once(far.events, 'unsubscribed');
}
