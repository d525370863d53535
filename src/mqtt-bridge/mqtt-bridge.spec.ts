import { EventEmitter, once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Answers, type ScriptedBroker, startScriptedBroker } from '../../test/scripted-broker.js';
import type { LogLevel } from '../log/log.js';
import { MqttBridge } from './mqtt-bridge.js';

let lines: string[];
let events: EventEmitter;
let broker: ScriptedBroker;
let bridge: MqttBridge | null;

beforeEach(() => {
  lines = [];
  events = new EventEmitter();
  bridge = null;
});

afterEach(async () => {
  await bridge?.stop();
  await broker.close();
});

describe('MqttBridge', () => {
  it('falls back to a plain subscription where the broker refuses shared ones', async () => {
    await started({ suback: 158 });
    await logged(/subscribed to cars/);
    expect(lines).toEqual([expect.stringMatching(/^MQTT: subscribed to cars\/# at .*run one bridge only$/)]);
  });

  it('says that the broker refused the subscription, and tries again', async () => {
    await started({ suback: 135 });
    await logged(/subscribed to/);
    expect(lines[0]).toMatch(/^MQTT: the broker refused the subscription to \$share\/group\/cars\/#/);
  });

  it('says once that the broker does not let it in, and goes on trying', async () => {
    await started({ connack: 135 });
    await logged(/Not authorized/);
    for (let tries = 0; tries < 3; tries += 1) await broker.arrival();
    expect(lines).toHaveLength(1);
    expect(bridge?.status().connected).toBe(false);
  });

  it('can be stopped at any time, and twice', async () => {
    await started({});
    await Promise.all([bridge?.stop(), bridge?.stop()]);
    expect(bridge?.status()).toMatchObject({ connected: false, inFlight: 0 });
  });

  it('says that the broker lost the session', async () => {
    const first = (await started({})).next();
    const connection = await first;
    connection.cut();
    await logged(/lost the session/);
    expect(lines.filter((line) => line.includes('lost the session'))).toHaveLength(1);
  });
});

async function started(answers: Answers): Promise<ScriptedBroker> {
  broker = await startScriptedBroker(answers);
  const log = (level: LogLevel, line: string) => {
    if (level === 'debug') return;
    lines.push(line);
    events.emit('line');
  };
  const url = `mqtt://127.0.0.1:${broker.port}`;
  bridge = new MqttBridge({
    mqtt: { url, clientId: 'spec', shareGroup: 'group', sessionExpiry: 60, receiveMaximum: 10 },
    kafka: { brokers: ['127.0.0.1:1'], clientId: 'spec', log },
    topics: { filter: 'cars/#', sensor: 'sensor', deadLetters: 'dlq', maxBody: 1_000 },
    linger: 1,
    batch: 10,
    log,
  });
  return broker;
}

async function logged(pattern: RegExp): Promise<void> {
  while (!lines.some((line) => pattern.test(line))) await once(events, 'line');
}
