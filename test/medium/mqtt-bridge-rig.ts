import { EventEmitter, once } from 'node:events';
import { randomUUID } from 'node:crypto';
import type { IHeaders } from 'kafkajs';
import { connect, connectAsync, type IClientPublishOptions, type MqttClient } from 'mqtt';
import { kafkaClient, type Address, type KafkaOptions, type LogLevel } from '../../src/kafka/client.js';
import { ensureTopics } from '../../src/kafka/topics.js';
import { MqttBridge, type BridgeOptions } from '../../src/mqtt-bridge/mqtt-bridge.js';
import type { SubscriptionMode } from '../../src/mqtt-bridge/subscription.js';
import { startProxy, type TcpProxy } from '../tcp-proxy.js';

export interface Arrived {
  readonly topic: string;
  readonly partition: number;
  readonly key: string | null;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
  readonly timestamp: number;
}

export interface BridgeOverrides {
  /** Proxies that stand between the bridge and its neighbours. */
  readonly kafkaProxy?: TcpProxy;
  readonly mqttProxy?: TcpProxy;
  readonly mqttUrl?: string;
  readonly clientId?: string;
  readonly subscription?: SubscriptionMode;
  readonly receiveMaximum?: number;
  readonly maxBody?: number;
  readonly stopTimeout?: number;
}

export type BridgeRig = Awaited<ReturnType<typeof bridgeRig>>;

function given(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: these tests need the real parts`);
  return value;
}

/** Topics, client ids and a shared group of its own, on the real MQTT broker and the real Kafka; gone after `close`. */
export async function bridgeRig(mqttUrl = given('MQTT_URL')) {
  const id = `test-${randomUUID().slice(0, 8)}`;
  const brokers = given('KAFKA_BROKERS').split(',');
  const lines: string[] = [];
  const events = new EventEmitter();
  const log = (level: LogLevel, message: string) => {
    if (level === 'debug') return;
    lines.push(message);
    events.emit('line');
  };
  const kafka: KafkaOptions = { brokers, clientId: id, log };
  const topics = { sensor: id, deadLetters: `${id}-dlq` };
  const size = { partitions: 4, replication: 1, retention: 1, maxBytes: 1_048_576 };
  await ensureTopics(kafka, [
    { ...size, topic: topics.sensor },
    { ...size, topic: topics.deadLetters, maxBytes: 2 * size.maxBytes },
  ]);
  const arrived: Arrived[] = [];
  const client = kafkaClient(kafka);
  const consumer = client.kafka.consumer({ groupId: id, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topics: [topics.sensor, topics.deadLetters], fromBeginning: true });
  await consumer.run({
    eachBatch: async ({ batch }) => {
      for (const { key, value, headers, timestamp } of batch.messages)
        arrived.push({
          topic: batch.topic,
          partition: batch.partition,
          key: key?.toString() ?? null,
          value: value ?? Buffer.from('null'),
          headers: textOf(headers),
          timestamp: Number(timestamp),
        });
      events.emit('record');
      await Promise.resolve();
    },
  });
  const publisher = await connectAsync(mqttUrl);
  const bridges: MqttBridge[] = [];
  const proxies: TcpProxy[] = [];
  const sessions = new Set<string>();

  const start = async (overrides: BridgeOverrides = {}): Promise<MqttBridge> => {
    const seen = lines.length;
    const clientId = overrides.clientId ?? `${id}-bridge`;
    sessions.add(clientId);
    const bridge = new MqttBridge(optionsOf(overrides, clientId));
    bridges.push(bridge);
    await logged(/subscribed to/, seen);
    return bridge;
  };

  const optionsOf = (overrides: BridgeOverrides, clientId: string): BridgeOptions => {
    const { kafkaProxy, mqttProxy, receiveMaximum = 1_000, maxBody = 900_000, stopTimeout = 10_000 } = overrides;
    const { subscription = 'auto' } = overrides;
    const url = new URL(overrides.mqttUrl ?? mqttUrl);
    if (mqttProxy) url.host = `127.0.0.1:${mqttProxy.port}`;
    const route = kafkaProxy && { route: (): Address => ({ host: '127.0.0.1', port: kafkaProxy.port }) };
    return {
      mqtt: { url: url.href, clientId, subscription, shareGroup: id, sessionExpiry: 600, receiveMaximum },
      kafka: { ...kafka, requestTimeout: 2_000, ...route },
      topics: { ...topics, filter: `${id}/#`, maxBody },
      linger: 5,
      batch: 500,
      log,
      stopTimeout,
    };
  };

  /** Resolves at the first line that matches, among those after the first `seen`. */
  const logged = async (pattern: RegExp, seen = 0): Promise<void> => {
    while (!lines.slice(seen).some((line) => pattern.test(line))) await once(events, 'line');
  };

  const records = async (enough: (arrived: readonly Arrived[]) => boolean): Promise<Arrived[]> => {
    while (!enough(arrived)) await once(events, 'record');
    return arrived.slice();
  };

  const publish = async (car: string, payload: Buffer | string, options: IClientPublishOptions = {}): Promise<void> => {
    await publisher.publishAsync(`${id}/${car}`, payload, { qos: 1, ...options });
  };

  const proxyTo = async (address: string): Promise<TcpProxy> => {
    const { hostname, port } = new URL(address);
    const proxy = await startProxy({ host: hostname, port: Number(port) });
    proxies.push(proxy);
    return proxy;
  };

  /** The payloads that the broker still keeps for a session, up to a marker that is published last. */
  const leftInSession = async (clientId = `${id}-bridge`): Promise<string[]> => {
    const left: string[] = [];
    const marker = randomUUID();
    const taken = await inherit(mqttUrl, clientId, (payload) => left.push(payload));
    const done = taken.until(marker);
    await publish('marker', marker);
    await done;
    await taken.client.endAsync();
    return left.filter((payload) => payload !== marker);
  };

  const close = async (): Promise<void> => {
    for (const proxy of proxies) proxy.cut();
    await Promise.all(bridges.map((bridge) => bridge.stop()));
    await Promise.all(proxies.map((proxy) => proxy.close()));
    for (const clientId of sessions) {
      const ender = await connectAsync(mqttUrl, { clientId, protocolVersion: 5, clean: true });
      await ender.endAsync();
    }
    await publisher.endAsync();
    await consumer.disconnect();
    const admin = client.kafka.admin();
    await admin.connect();
    await admin.deleteTopics({ topics: [topics.sensor, topics.deadLetters] });
    await admin.deleteGroups([id]);
    await admin.disconnect();
  };

  const kafkaProxy = () => proxyTo(`tcp://${brokers[0] ?? ''}`);
  const mqttProxy = () => proxyTo(mqttUrl);
  return { id, topics, kafka, lines, start, logged, records, publish, kafkaProxy, mqttProxy, leftInSession, close };
}

function session(clientId: string) {
  return { clientId, protocolVersion: 5 as const, clean: false, properties: { sessionExpiryInterval: 600 } };
}

/** Connects as somebody else's session and takes (and so acknowledges) what comes. */
async function inherit(url: string, clientId: string, each: (payload: string) => void) {
  const payloads = new EventEmitter();
  const seen = new Set<string>();
  const client: MqttClient = connect(url, { ...session(clientId), reconnectPeriod: 0 });
  client.on('message', (_topic, payload) => {
    seen.add(payload.toString());
    each(payload.toString());
    payloads.emit('payload');
  });
  await new Promise<unknown>((resolve) => client.once('connect', resolve));
  const until = async (marker: string): Promise<void> => {
    while (!seen.has(marker)) await once(payloads, 'payload');
  };
  return { client, until };
}

function textOf(headers: IHeaders | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]));
}
