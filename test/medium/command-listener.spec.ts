import { randomUUID } from 'node:crypto';
import { connectAsync, type MqttClient } from 'mqtt';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { noSignals } from '../../src/telemetry/signals.js';
import { CommandListener, isSimulated, type ListenOptions } from '../../src/simulator/command-listener.js';
import type { CarMessage } from '../../src/simulator/fleet.js';

const soon = <T>(ask: () => T | Promise<T>) => vi.waitFor(ask, { timeout: 60_000, interval: 20 });
const HOUR = 3_600_000;

let topic: string;
let client: MqttClient;
let answers: { car: string; id: string; status: string; reason?: string }[];
/** Whether this car has answered, which is asked until somebody listens: its answers are none of the test's. */
const PROBE = 'car100';
let heard: boolean;
const listeners: CommandListener[] = [];

beforeEach(async () => {
  topic = `test/${randomUUID()}`;
  answers = [];
  heard = false;
  client = await connectAsync(process.env['MQTT_URL'] ?? '');
  client.on('message', (where, payload) => {
    const car = where.split('/')[2];
    if (car === PROBE) heard = true;
    else answers.push({ car, ...(JSON.parse(payload.toString()) as object) } as (typeof answers)[number]);
  });
  await client.subscribeAsync(`${topic}/+/answer`, { qos: 1 });
});
afterEach(async () => {
  await Promise.all(listeners.splice(0).map((listener) => listener.end()));
  await client.endAsync(true);
});

/** Hears once this returns. */
async function listen(options: Partial<ListenOptions> = {}): Promise<CommandListener> {
  const clientId = `listen-${randomUUID().slice(0, 8)}`;
  const given = { url: process.env['MQTT_URL'] ?? '', clientId, topic, isOurs: isSimulated(1, 100), rejecting: 0 };
  const listener = new CommandListener({ ...given, ...options });
  listeners.push(listener);
  await soon(async () => {
    await send(PROBE, { id: `${PROBE}/${randomUUID()}` });
    expect(heard).toBe(true);
  });
  return listener;
}

function send(car: string, command: object | string) {
  const at = (ms: number) => new Date(Date.now() + ms).toISOString();
  const whole = { id: `${car}/1`, car, version: 1, values: {}, issuedAt: at(0), expiresAt: at(HOUR) };
  const payload = typeof command === 'string' ? command : JSON.stringify({ ...whole, ...command });
  return client.publishAsync(`${topic}/${car}`, payload, { qos: 1 });
}

const message = (car: string): CarMessage => ({
  car,
  at: 0,
  signals: { ...noSignals(), controlUnitFirmware: 1_000 },
  label: true,
  failures: ['firmware'],
});

describe('simulated cars that hear commands', () => {
  it('accept, report the firmware from then on, and are healed of an outdated one', async () => {
    const listener = await listen();
    expect(listener.obeyed(message('car1'))).toEqual(message('car1'));
    await send('car1', { values: { controlUnitFirmware: 2_100, chargeLimit: 80 } });
    await soon(() => expect(answers).toEqual([{ car: 'car1', id: 'car1/1', status: 'ACCEPTED' }]));
    expect(listener.obeyed(message('car1'))).toMatchObject({
      signals: { controlUnitFirmware: 2_100 },
      label: false,
      failures: [],
    });
    expect(listener.obeyed(message('car2'))).toEqual(message('car2'));
  });

  it('answer repetitions as before, and reject what is older, over or no firmware', async () => {
    await listen();
    const [issuedAt, before] = [new Date().toISOString(), new Date(Date.now() - HOUR).toISOString()];
    await send('car1', { issuedAt });
    await send('car1', { issuedAt });
    await send('car1', { id: 'car1/0', issuedAt: before });
    await send('car2', { id: 'car2/1', issuedAt: before, expiresAt: before });
    await send('car3', { id: 'car3/1', values: { controlUnitFirmware: 'new' } });
    await soon(() => expect(answers).toHaveLength(5));
    expect(answers.map(({ id, status, reason }) => [id, status, reason])).toEqual([
      ['car1/1', 'ACCEPTED', undefined],
      ['car1/1', 'ACCEPTED', undefined],
      ['car1/0', 'REJECTED', 'a newer command is followed'],
      ['car2/1', 'REJECTED', 'expired'],
      ['car3/1', 'REJECTED', 'no such firmware'],
    ]);
  });

  it('reject in the share that was asked for, and say nothing to others or to nonsense', async () => {
    const listener = await listen({ rejecting: 0.5, isOurs: isSimulated(1, 100) });
    for (const car of ['car101', 'car0', 'car01', 'bus1']) await send(car, {});
    for (const nonsense of ['', '[]', 'null', '{', JSON.stringify({ id: 'car2/1' })]) await send('car1', nonsense);
    await send('car1', { id: 'car2/1' });
    await send('car1', { issuedAt: 'yesterday' });
    await send('car1', { values: null });
    for (let n = 1; n < 100; n += 1) await send(`car${n}`, {});
    await soon(() => expect(answers).toHaveLength(99));
    const rejected = answers.filter(({ status }) => status === 'REJECTED').length;
    expect(rejected).toBeGreaterThan(30);
    expect(rejected).toBeLessThan(70);
    expect(listener.counts.rejected).toBeGreaterThanOrEqual(rejected);
  });
});
