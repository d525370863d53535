import { statSync } from 'node:fs';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, type TestContext, vi } from 'vitest';
import type { PartHandle } from '../../stack/part-handle.js';
import { startStack, type Stack } from '../../stack/stack.js';
import type { TcpProxy } from '../tcp-proxy.js';
import { type Arrived, type BridgeRig, bridgeRig } from './mqtt-bridge-rig.js';

const BEFORE = 500;
const ALL = 1_000;

let stack: Stack;
let broker: PartHandle;
let rig: BridgeRig;

beforeAll(async () => {
  // A broker of its own, since it stops it.
  const env = { ...process.env, MQTT_URL: undefined };
  stack = await startStack({ parts: ['mqtt'], env, say: () => undefined, onDeath: () => undefined });
  broker = stack.parts.mqtt as PartHandle;
});
afterAll(() => stack?.stop());

beforeEach(async () => {
  rig = await bridgeRig(stack.urls.mqttUrl);
});
afterEach(() => rig.close());

it('a broker that is stopped and started while the bridge is away has every message that it acknowledged', async (context) => {
  skipAedes(context);
  const proxy = await bridgeAway();
  await publishNumbers(0, BEFORE);
  await broker.stop();
  await broker.restart();
  await publishNumbers(BEFORE, ALL);
  proxy.resume();
  expect(missing(await rig.records((arrived) => missing(arrived).length === 0))).toEqual([]);
});

it('a broker that is killed has what it had written, and keeps what comes after it is back', async (context) => {
  skipAedes(context);
  const proxy = await bridgeAway();
  await publishNumbers(0, BEFORE);
  await written();
  await broker.kill();
  await broker.restart();
  await publishNumbers(BEFORE, ALL);
  proxy.resume();
  expect(missing(await rig.records((arrived) => missing(arrived).length === 0))).toEqual([]);
});

it('a broker that is killed loses nothing that the bridge has, though Kafka is away', async (context) => {
  skipAedes(context);
  const kafkaProxy = await rig.kafkaProxy();
  const bridge = await rig.start({ kafkaProxy });
  await written();
  kafkaProxy.cut();
  await publishNumbers(0, BEFORE);
  await vi.waitFor(() => expect(bridge.status().received).toBe(BEFORE), { timeout: 20_000 });
  await broker.kill();
  await broker.restart();
  await publishNumbers(BEFORE, ALL);
  await vi.waitFor(() => expect(bridge.status().received).toBeGreaterThanOrEqual(ALL), { timeout: 20_000 });
  kafkaProxy.resume();
  expect(missing(await rig.records((arrived) => missing(arrived).length === 0))).toEqual([]);
});

it('the bridge is back as soon as the broker is', async (context) => {
  skipAedes(context);
  const bridge = await rig.start();
  await broker.stop();
  await vi.waitFor(() => expect(bridge.status().connected).toBe(false));
  await broker.restart();
  const since = performance.now();
  await vi.waitFor(() => expect(bridge.status().connected).toBe(true), { timeout: 10_000, interval: 5 });
  expect(performance.now() - since).toBeLessThan(2_500);
});

/** aedes keeps nothing over a restart. */
function skipAedes({ skip }: TestContext): void {
  if (broker.server !== 'mosquitto') skip(`${broker.server} keeps nothing over a restart`);
}

/** A bridge that has subscribed and has been cut off from the broker. */
async function bridgeAway(): Promise<TcpProxy> {
  const proxy = await rig.mqttProxy();
  const bridge = await rig.start({ mqttProxy: proxy });
  expect(rig.lines.some((line) => /mosquitto version .* run one bridge only/.test(line))).toBe(true);
  proxy.cut();
  await vi.waitFor(() => expect(bridge.status().connected).toBe(false));
  return proxy;
}

async function publishNumbers(from: number, to: number): Promise<void> {
  const client = await connectAsync(stack.urls.mqttUrl, { reconnectPeriod: 0 });
  const numbers = Array.from({ length: to - from }, (_, index) => from + index);
  await Promise.all(
    numbers.map((number) => client.publishAsync(`${rig.id}/car${number % 10}`, String(number), { qos: 1 })),
  );
  await client.endAsync();
}

/** mosquitto writes what it has when it is told to with SIGUSR1: into a new file, which takes the place of the old one. */
async function written(): Promise<void> {
  const file = join(stack.dataDir, 'mqtt', 'mosquitto.db');
  const number = () => statSync(file, { throwIfNoEntry: false })?.ino;
  const before = number();
  process.kill(broker.pid as number, 'SIGUSR1');
  await vi.waitFor(() => expect(number()).not.toBe(before), { timeout: 20_000 });
}

function missing(arrived: readonly Arrived[]): number[] {
  const there = new Set(arrived.map(({ value }) => Number(value.toString())));
  return Array.from({ length: ALL }, (_, number) => number).filter((number) => !there.has(number));
}
