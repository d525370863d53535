import { createServer, type AddressInfo } from 'node:net';
import { Aedes } from 'aedes';
import { connectAsync } from 'mqtt';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { MqttBridge } from '../../src/mqtt-bridge/mqtt-bridge.js';
import { startScriptedBroker } from '../scripted-broker.js';
import { type Arrived, type BridgeRig, bridgeRig } from './mqtt-bridge-rig.js';

let rig: BridgeRig;

beforeEach(async () => {
  rig = await bridgeRig();
});

afterEach(async () => {
  await rig.close();
});

describe('the bridge without Kafka', () => {
  it('sends no PUBACK before Kafka has acknowledged: the broker still has every message', async () => {
    const kafkaProxy = await rig.kafkaProxy();
    kafkaProxy.cut();
    const bridge = await rig.start({ kafkaProxy, stopTimeout: 1 });
    await publishNumbers(10);
    await received(bridge, 10);
    await bridge.stop();
    expect((await rig.leftInSession()).toSorted(byNumber)).toEqual(numbers(10));
  });

  it('stays bounded, keeps the order of each car, and goes on by itself', async () => {
    const kafkaProxy = await rig.kafkaProxy();
    const bridge = await rig.start({ kafkaProxy, receiveMaximum: 300 });
    await publishNumbers(500);
    await rig.records((arrived) => arrived.length >= 500);
    kafkaProxy.stall();
    await publishNumbers(3_000, 500);
    await vi.waitFor(() => expect(bridge.status().inFlight).toBe(300), { timeout: 20_000 });
    await rig.logged(/Kafka does not take records/);
    expect(bridge.status()).toMatchObject({ kafkaAvailable: false, connected: true, inFlight: 300 });
    kafkaProxy.resume();
    const records = await rig.records((arrived) => distinct(arrived) >= 3_500);
    await bridge.stop();
    expect(bridge.status().inFlight).toBe(0);
    expectOrder(records);
    expect(rig.lines.filter((line) => line.includes('Kafka'))).toHaveLength(2);
    expect(await rig.leftInSession()).toEqual([]);
  });

  it('loses nothing when the connection to Kafka is cut again and again', async () => {
    const kafkaProxy = await rig.kafkaProxy();
    await rig.start({ kafkaProxy });
    for (let round = 0; round < 5; round += 1) {
      const sent = publishNumbers(200, round * 200);
      kafkaProxy.cut();
      await sent;
      kafkaProxy.resume();
    }
    const records = await rig.records((arrived) => distinct(arrived) >= 1_000);
    expectOrder(records);
  });
});

describe('a bridge that was killed', () => {
  it('leaves what it had not acknowledged to the next one with its client id', async () => {
    const [kafkaProxy, mqttProxy] = [await rig.kafkaProxy(), await rig.mqttProxy()];
    const killed = await rig.start({ kafkaProxy, mqttProxy, stopTimeout: 1 });
    kafkaProxy.cut();
    await publishNumbers(100);
    await received(killed, 100);
    mqttProxy.cut();
    await killed.stop();
    await publishNumbers(50, 100);
    await rig.start();
    const records = await rig.records((arrived) => distinct(arrived) >= 150);
    expectOrder(records);
  });
});

describe('a connection that closes', () => {
  it('takes its held PUBACKs with it: a packet id that is used again is acknowledged only for its new message', async () => {
    const broker = await startScriptedBroker();
    const kafkaProxy = await rig.kafkaProxy();
    try {
      const first = broker.next();
      const bridge = await rig.start({ kafkaProxy, mqttUrl: `mqtt://127.0.0.1:${broker.port}` });
      const before = await first;
      kafkaProxy.stall();
      before.publish(1, `${rig.id}/car1`, 'before');
      await received(bridge, 1);
      const second = broker.next();
      before.cut();
      const after = await second;
      after.publish(1, `${rig.id}/car1`, 'after');
      await received(bridge, 2);
      kafkaProxy.resume();
      await after.puback();
      const records = await rig.records((arrived) => distinct(arrived) >= 2);
      await bridge.stop();
      expect(records.some(({ value }) => value.toString() === 'after')).toBe(true);
      expect(before.pubacks).toEqual([]);
      expect(after.pubacks).toEqual([1]);
    } finally {
      await broker.close();
    }
  });

  it('is told of every message again, and all of them arrive', async () => {
    const [kafkaProxy, mqttProxy] = [await rig.kafkaProxy(), await rig.mqttProxy()];
    const bridge = await rig.start({ kafkaProxy, mqttProxy });
    kafkaProxy.stall();
    await publishNumbers(400);
    await received(bridge, 400);
    mqttProxy.cut();
    await vi.waitFor(() => expect(bridge.status().connected).toBe(false));
    mqttProxy.resume();
    await received(bridge, 800);
    // They are the same ones.
    expect(bridge.status().inFlight).toBe(400);
    kafkaProxy.resume();
    await rig.records((arrived) => distinct(arrived) >= 400);
    await vi.waitFor(() => expect(bridge.status().inFlight).toBe(0));
    await bridge.stop();
    expect(bridge.status().produced).toBe(400);
    expect(await rig.leftInSession()).toEqual([]);
  });
});

describe('a broker that speaks only MQTT 3.1.1', () => {
  it('gets a plain subscription, and reading stops while Kafka is away', async () => {
    const aedes = await Aedes.createBroker();
    const server = createServer(aedes.handle);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const mqttUrl = `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const kafkaProxy = await rig.kafkaProxy();
    kafkaProxy.cut();
    const bridge = await rig.start({ kafkaProxy, mqttUrl, receiveMaximum: 100 });
    const publisher = await connectAsync(mqttUrl);
    try {
      const sent = numbers(2_000).map((number) => publisher.publishAsync(`${rig.id}/car1`, number, { qos: 1 }));
      await vi.waitFor(() => expect(bridge.status().inFlight).toBeGreaterThan(100), { timeout: 20_000 });
      expect(bridge.status().inFlight).toBe(101);
      kafkaProxy.resume();
      await Promise.all(sent);
      expectOrder(await rig.records((arrived) => distinct(arrived) >= 2_000));
      expect(rig.lines.some((line) => line.includes('run one bridge only'))).toBe(true);
    } finally {
      await bridge.stop();
      await publisher.endAsync(true);
      await new Promise<void>((resolve) => aedes.close(resolve));
      server.close();
    }
  });
});

function numbers(count: number, first = 0): string[] {
  return Array.from({ length: count }, (_, index) => String(first + index));
}

/** Numbers on 10 cars. */
async function publishNumbers(count: number, first = 0): Promise<void> {
  await Promise.all(numbers(count, first).map((number) => rig.publish(`car${Number(number) % 10}`, number)));
}

async function received(bridge: MqttBridge, count: number): Promise<void> {
  await vi.waitFor(() => expect(bridge.status().received).toBeGreaterThanOrEqual(count), { timeout: 20_000 });
}

function byNumber(one: string, other: string): number {
  return Number(one) - Number(other);
}

function distinct(records: readonly Arrived[]): number {
  return new Set(records.map(({ value }) => value.toString())).size;
}

/** The first time that each message arrived, the messages of a car came in the order in which it sent them. */
function expectOrder(records: readonly Arrived[]): void {
  const last = new Map<string | null, number>();
  const seen = new Set<string>();
  for (const { key, value } of records) {
    const text = value.toString();
    if (!seen.has(text)) {
      expect(Number(text)).toBeGreaterThan(last.get(key) ?? -1);
      last.set(key, Number(text));
    }
    seen.add(text);
  }
}
