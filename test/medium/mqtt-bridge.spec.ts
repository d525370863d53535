import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Arrived, type BridgeRig, bridgeRig } from './mqtt-bridge-rig.js';

let rig: BridgeRig;

beforeEach(async () => {
  rig = await bridgeRig();
});

afterEach(async () => {
  await rig.close();
});

const atLeast = (count: number) => (arrived: readonly Arrived[]) => arrived.length >= count;

describe('the bridge', () => {
  it('leaves the bytes untouched: binary, empty and text', async () => {
    const payloads = [
      Buffer.from(Array.from({ length: 256 }, (_, i) => i)),
      Buffer.alloc(0),
      Buffer.from('{"speed": 1}'),
    ];
    await rig.start();
    for (const [index, payload] of payloads.entries()) await rig.publish(`car${index}`, payload);
    const records = await rig.records(atLeast(payloads.length));
    for (const [index, payload] of payloads.entries()) {
      const record = records.find(({ key }) => key === `car${index}`);
      expect(record?.value).toEqual(payload);
      expect(record?.headers['mqtt-topic']).toBe(`${rig.id}/car${index}`);
      expect(Number(record?.headers['mqtt-received-at'])).toBe(record?.timestamp);
    }
  });

  it('keeps the order of each car, and one car in one partition', async () => {
    await rig.start();
    const sent = Array.from({ length: 3_000 }, (_, i) => rig.publish(`car${i % 20}`, `${i}`));
    await Promise.all(sent);
    const records = await rig.records(atLeast(3_000));
    expect(records).toHaveLength(3_000);
    for (const ofCar of byCar(records).values()) {
      expect(ofCar.map(numberOf)).toEqual(ofCar.map(numberOf).toSorted((a, b) => a - b));
      expect(new Set(ofCar.map(({ partition }) => partition)).size).toBe(1);
    }
  });

  it('sends a message without a car id to the dead letters, and acknowledges it', async () => {
    const bridge = await rig.start();
    await rig.publish('car 1', 'x');
    const [letter] = await rig.records(atLeast(1));
    expect(letter?.topic).toBe(rig.topics.deadLetters);
    expect(letter?.value.toString()).toBe('x');
    expect(letter?.headers).toMatchObject({ 'dlq-reason': 'NO_CAR_ID', 'dlq-stage': 'bridge' });
    expect(letter?.headers['dlq-topic']).toBe(`${rig.id}/car 1`);
    await bridge.stop();
    expect(bridge.status()).toMatchObject({ received: 1, produced: 0, deadLettered: 1, inFlight: 0, connected: false });
    expect(await rig.leftInSession()).toEqual([]);
  });

  it('cuts a message that is too large into the dead letters', async () => {
    await rig.start({ maxBody: 2_000 });
    await rig.publish('car1', Buffer.alloc(3_000_000, 'x'));
    await rig.publish('car1', Buffer.alloc(2_001, 'y'));
    await rig.publish('car1', Buffer.alloc(2_000, 'z'));
    const records = await rig.records(atLeast(3));
    const letters = records.filter(({ topic }) => topic === rig.topics.deadLetters);
    const cut = letters.find(({ headers }) => headers['dlq-cut'] === 'true');
    expect(letters.map(({ headers }) => headers['dlq-reason'])).toEqual(['TOO_LARGE', 'TOO_LARGE']);
    expect(cut?.key).toBe('car1');
    expect(cut?.headers['dlq-original-length']).toBe('3000000');
    expect(cut?.value.length).toBeLessThan(2_097_152);
    expect(letters.find((letter) => letter !== cut)?.value.length).toBe(2_001);
    expect(records.find(({ topic }) => topic === rig.topics.sensor)?.value.toString()).toMatch(/^z{2000}$/);
  });

  it('buries a record that Kafka refuses, and carries the others of its batch', async () => {
    await rig.start({ maxBody: 5_000_000 });
    await Promise.all(
      ['a', 'b', 'c', 'd'].map((car) => rig.publish(car, car === 'c' ? Buffer.alloc(1_200_000) : Buffer.from(car))),
    );
    const records = await rig.records(atLeast(4));
    const refused = records.find(({ headers }) => headers['dlq-reason'] === 'REFUSED');
    expect(refused?.key).toBe('c');
    expect(refused?.value.length).toBe(1_200_000);
    expect(new Set(records.map(({ key }) => key))).toEqual(new Set(['a', 'b', 'c', 'd']));
    expect(records).toHaveLength(4);
  });

  it('shares the load between two bridges on the shared subscription', async () => {
    const start = (name: string) => rig.start({ clientId: `${rig.id}-${name}`, subscription: 'shared' });
    const bridges = [await start('1'), await start('2')];
    await Promise.all(Array.from({ length: 500 }, (_, i) => rig.publish(`car${i % 20}`, `${i}`)));
    const records = await rig.records(atLeast(500));
    await Promise.all(bridges.map((bridge) => bridge.stop()));
    expect(distinct(records)).toBe(500);
    const [one = 0, two = 0] = bridges.map((bridge) => bridge.status().produced);
    expect(one + two).toBe(500);
    expect(Math.min(one, two)).toBeGreaterThan(0);
  });

  it('carries what was published while it was away', async () => {
    const first = await rig.start();
    await first.stop();
    await Promise.all(Array.from({ length: 50 }, (_, i) => rig.publish('car1', `${i}`)));
    await rig.start();
    const records = await rig.records(atLeast(50));
    expect(records.map(numberOf)).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });

  it('is stopped under load without a message being lost or carried twice', async () => {
    await (await rig.start()).stop();
    await Promise.all(Array.from({ length: 10_000 }, (_, i) => rig.publish(`car${i % 20}`, `${i}`)));
    const stopped = await rig.start();
    await vi.waitFor(() => expect(stopped.status().produced).toBeGreaterThan(0), { interval: 1 });
    await stopped.stop();
    const { produced, received } = stopped.status();
    expect(produced).toBe(received);
    expect(produced).toBeLessThan(10_000);
    await rig.start();
    const records = await rig.records((arrived) => distinct(arrived) >= 10_000);
    expect(records).toHaveLength(10_000);
  });

  it.each(['shared', 'plain'] as const)(
    'gives up the %s subscription of before without losing a message',
    async (before) => {
      await (await rig.start({ subscription: before })).stop();
      await publishNumbers(0, 100);
      const sent = publishNumbers(100, 1_000);
      await rig.start({ subscription: before === 'shared' ? 'plain' : 'shared' });
      await sent;
      const during = await rig.records((arrived) => distinct(arrived) >= 1_000);
      await publishNumbers(1_000, 1_100);
      const records = await rig.records((arrived) => distinct(arrived) >= 1_100);
      expect(records.slice(during.length).filter((record) => numberOf(record) >= 1_000)).toHaveLength(100);
    },
  );

  it('does not take what the broker says of itself for a message', async () => {
    const bridge = await rig.start();
    await rig.publish('car1', 'x');
    await rig.records(atLeast(1));
    expect(bridge.status().received).toBe(1);
    await bridge.stop();
    expect(await rig.leftInSession()).toEqual([]);
  });

  it('carries messages of QoS 0 and retained ones like others', async () => {
    await rig.start();
    await rig.publish('car1', 'fire and forget', { qos: 0 });
    await rig.publish('car1', 'kept', { retain: true });
    const records = await rig.records(atLeast(2));
    expect(records.map(({ value }) => value.toString())).toEqual(['fire and forget', 'kept']);
    await rig.publish('car1', '', { retain: true });
  });

  it('comes back when the MQTT broker does, with one line for each change', async () => {
    const proxy = await rig.mqttProxy();
    const bridge = await rig.start({ mqttProxy: proxy });
    proxy.cut();
    await rig.logged(/ECONNRESET|closed the connection/);
    await vi.waitFor(() => expect(bridge.status().connected).toBe(false));
    await rig.publish('car1', 'meanwhile');
    const seen = rig.lines.length;
    proxy.resume();
    await rig.logged(/subscribed to/, seen);
    await rig.records(atLeast(1));
    expect(rig.lines.filter((line) => line.includes('subscribed'))).toHaveLength(2);
    expect(rig.lines.length).toBeLessThan(10);
  });
});

async function publishNumbers(from: number, to: number): Promise<void> {
  const numbers = Array.from({ length: to - from }, (_, index) => from + index);
  await Promise.all(numbers.map((number) => rig.publish(`car${number % 20}`, String(number))));
}

function byCar(records: readonly Arrived[]): Map<string | null, Arrived[]> {
  const groups = new Map<string | null, Arrived[]>();
  for (const record of records) groups.set(record.key, [...(groups.get(record.key) ?? []), record]);
  return groups;
}

function numberOf({ value }: Arrived): number {
  return Number(value.toString());
}

function distinct(records: readonly Arrived[]): number {
  return new Set(records.map(({ value }) => value.toString())).size;
}
