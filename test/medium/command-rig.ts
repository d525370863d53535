import { randomUUID } from 'node:crypto';
import { connect, connectAsync, type MqttClient } from 'mqtt';
import { CommandBridge, type CommandBridgeOptions } from '../../src/commands/command-bridge.js';
import type { CommandDocument } from '../../src/twin/command-documents.js';
import { type Database, openDatabase, prepareDatabase } from '../../src/twin/database.js';
import { setDesired } from '../../src/twin/set-desired.js';
import { startProxy, type TcpProxy } from '../tcp-proxy.js';

/** A command as a car receives it. */
export interface Received {
  readonly id: string;
  readonly car: string;
  readonly version: number;
  readonly values: Readonly<Record<string, unknown>>;
  readonly issuedAt: string;
  readonly expiresAt: string;
}

export interface BridgeOverrides extends Partial<Pick<CommandBridgeOptions, 'retry' | 'now'>> {
  readonly clientId?: string;
  readonly mqttProxy?: TcpProxy;
  readonly mongodbProxy?: TcpProxy;
}

export type CommandRig = Awaited<ReturnType<typeof commandRig>>;
/** What a car says to a command; null for nothing. */
export type Reply = (command: Received) => { status: string; reason?: string } | null;

export const accept: Reply = () => ({ status: 'ACCEPTED' });

function given(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: these tests need the real parts`);
  return value;
}

/** Topics, sessions and a database of its own on the real MQTT broker and MongoDB; gone after `close`. */
export async function commandRig() {
  const id = `commands-${randomUUID().slice(0, 8)}`;
  const topic = `test/${id}`;
  const [mqttUrl, mongodbUri] = [given('MQTT_URL'), given('MONGODB_URI')];
  const database = openDatabase(mongodbUri, id, 'test');
  await prepareDatabase(database, 0);
  const { commands, cars } = database.collections;
  const lines: string[] = [];
  const bridges: CommandBridge[] = [];
  const databases: Database[] = [database];
  const proxies: TcpProxy[] = [];
  const clients: MqttClient[] = [];
  const sessions = new Set<string>();

  const start = (overrides: BridgeOverrides = {}): CommandBridge => {
    const { clientId = `${id}-bridge`, mqttProxy, mongodbProxy, retry = 60_000, now } = overrides;
    sessions.add(clientId);
    const url = new URL(mqttUrl);
    if (mqttProxy) url.host = `127.0.0.1:${mqttProxy.port}`;
    const own = mongodbProxy
      ? openDatabase(`mongodb://127.0.0.1:${mongodbProxy.port}/?directConnection=true`, id, 'test')
      : database;
    if (own !== database) databases.push(own);
    const bridge = new CommandBridge({
      collections: own.collections,
      mqtt: { url: url.href, clientId, sessionExpiry: 600, receiveMaximum: 1_000 },
      topic,
      retry,
      log: (level, message) => void (level !== 'debug' && lines.push(message)),
      ...(now && { now }),
    });
    bridges.push(bridge);
    return bridge;
  };

  /** Cars that share a connection, answer as told and note everything. */
  const carsAt = async (reply: Reply, filter = '+', options: { clientId?: string; clean?: boolean } = {}) => {
    // What its session holds may come with the connection.
    const client = connect(mqttUrl, { ...options, manualConnect: true });
    clients.push(client);
    if (options.clientId) sessions.add(options.clientId);
    const received: Received[] = [];
    client.on('message', (_topic, payload) => {
      const command = JSON.parse(payload.toString()) as Received;
      received.push(command);
      const answer = reply(command);
      if (answer)
        void client.publishAsync(`${topic}/${command.car}/answer`, JSON.stringify({ id: command.id, ...answer }), {
          qos: 1,
        });
    });
    client.connect();
    await client.subscribeAsync(`${topic}/${filter}`, { qos: 1 });
    return { client, received };
  };

  const say = async (car: string, payload: string | Buffer, more: { retain?: boolean } = {}) => {
    const client = clients[0] ?? (await connectAsync(mqttUrl));
    if (!clients.includes(client)) clients.push(client);
    await client.publishAsync(`${topic}/${car}/answer`, payload, { qos: 1, ...more });
  };

  const desire = async (car: string, values: Record<string, unknown>, expiry = 3_600_000): Promise<CommandDocument> => {
    const now = new Date();
    const done = await setDesired(database, { car, values, ifVersion: null, now, expiry, by: 'test' });
    if (done.kind !== 'set') throw new Error('a conflict');
    return done.command;
  };

  const proxyTo = async (address: string): Promise<TcpProxy> => {
    const { hostname, port } = new URL(address);
    const proxy = await startProxy({ host: hostname, port: Number(port) });
    proxies.push(proxy);
    return proxy;
  };

  const close = async (): Promise<void> => {
    for (const proxy of proxies) proxy.resume();
    await Promise.all(bridges.map((bridge) => bridge.stop()));
    await Promise.all(clients.map((client) => client.endAsync(true)));
    await Promise.all(proxies.map((proxy) => proxy.close()));
    for (const clientId of sessions) {
      const ender = await connectAsync(mqttUrl, { clientId, protocolVersion: 5, clean: true });
      await ender.endAsync();
    }
    await database.db.dropDatabase();
    await Promise.all(databases.map(({ client }) => client.close()));
  };

  return {
    id,
    topic,
    lines,
    commands,
    cars,
    database,
    start,
    carsAt,
    say,
    desire,
    mqttProxy: () => proxyTo(mqttUrl),
    mongodbProxy: () => proxyTo(mongodbUri),
    close,
  };
}
