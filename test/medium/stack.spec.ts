import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { MongoClient } from 'mongodb';
import { connectAsync } from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { useNamedService } from '../../stack/part-handle.js';
import { identityOf, isRunning, type ProcessIdentity } from '../../stack/process-identity.js';
import { projectFolder } from '../../stack/project-folder.js';
import type { PartDied } from '../../stack/server-process.js';
import { startStack, type Stack } from '../../stack/stack.js';
import { allRecords } from '../../stack/stack-record.js';
import { cacheFolder } from '../../stack/surroundings.js';

/** Services that the environment names would be used in place of the ones that this is about. */
const env = { ...process.env, MONGODB_URI: '', KAFKA_BROKERS: '', MQTT_URL: '' };

describe('the local stack', () => {
  let folder: string;
  let stack: Stack | undefined;
  const said: string[] = [];
  const say = (line: string): void => void said.push(line);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fleet-twin-stack-test-'));
    said.length = 0;
  });
  afterEach(async () => {
    await stack?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('names a part that dies, and has its data again after a restart and after a stop', async () => {
    const deaths: PartDied[] = [];
    const dataDir = join(folder, 'data');
    stack = await startStack({ dataDir, env, say, onDeath: (death) => deaths.push(death) });
    await writeEverywhere(stack);
    const first = identities(stack);
    expect(first).toHaveLength(3);

    process.kill(stack.parts.mongodb?.pid ?? 0, 'SIGKILL');
    await expect.poll(() => deaths.map(({ part }) => part)).toEqual(['mongodb']);
    expect(deaths[0]?.message).toContain('mongodb ended by itself (SIGKILL)');
    await stack.parts.mongodb?.restart();
    await stack.parts.kafka?.kill();
    await stack.parts.kafka?.restart();
    expect(await readEverywhere(stack)).toEqual({ document: 'kept', record: 'kept', message: 'kept' });

    const second = identities(stack);
    await stack.stop();
    expect([...first, ...second].filter(isRunning)).toEqual([]);
    stack = await startStack({ dataDir, env, say });
    expect(await readEverywhere(stack)).toEqual({ document: 'kept', record: 'kept', message: 'kept' });
    expect(deaths).toHaveLength(1);
  });

  it('refuses a data folder that another stack has', async () => {
    const dataDir = join(folder, 'data');
    stack = await startStack({ dataDir, env, say, parts: ['mqtt'] });
    await expect(startStack({ dataDir, env, say, parts: ['mqtt'] })).rejects.toThrow(
      `in use by process ${process.pid}`,
    );
  });

  it('leaves no process and no folder behind', async () => {
    stack = await startStack({ env, say, parts: ['mqtt', 'mongodb'] });
    const started = identities(stack);
    expect(existsSync(stack.dataDir)).toBe(true);
    await stack.stop();
    await stack.stop();
    expect(started.filter(isRunning)).toEqual([]);
    expect(existsSync(stack.dataDir)).toBe(false);
    expect(allRecords(cacheFolder(process.env)).filter(({ dataDir }) => dataDir === stack?.dataDir)).toEqual([]);
  });

  it('ends what a run that was killed has left', async () => {
    const killed = await startInAnotherProcess();
    process.kill(killed.pid, 'SIGKILL');
    await once(killed.ended, 'exit');
    expect(killed.servers.every(isRunning)).toBe(true);
    stack = await startStack({ dataDir: join(folder, 'data'), env, say, parts: ['mqtt'] });
    expect(killed.servers.filter(isRunning)).toEqual([]);
    expect(existsSync(killed.dataDir)).toBe(false);
    expect(said.filter((line) => line.includes(killed.dataDir))).toHaveLength(2);
  });

  it('gives up in the middle of a start and ends what has begun', async () => {
    const abort = new AbortController();
    const dataDir = join(folder, 'data');
    const starting = startStack({
      dataDir,
      env,
      signal: abort.signal,
      say: (line) => line.includes('answers') && abort.abort(),
    });
    await expect(starting).rejects.toThrow('was stopped while it started');
    expect(existsSync(join(dataDir, 'stack.json'))).toBe(false);
  });

  it('takes a service that is named and cannot be reached for an error', async () => {
    const reaching = useNamedService('mqtt', 'mqtt://127.0.0.1:1', 500);
    await expect(reaching).rejects.toThrow(/MQTT_URL names a service that cannot be used/);
  });
});

function identities(stack: Stack): ProcessIdentity[] {
  return Object.values(stack.parts).flatMap(({ pid }) => (pid === undefined ? [] : (identityOf(pid) ?? [])));
}

async function writeEverywhere({ urls }: Stack): Promise<void> {
  const mongo = await new MongoClient(urls.mongodbUri).connect();
  await mongo.db('stack').collection<{ _id: string; text: string }>('texts').insertOne({ _id: 'one', text: 'kept' });
  await mongo.close();

  const kafka = kafkaOf(urls.kafkaBrokers);
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: 'texts', numPartitions: 1 }] });
  await admin.disconnect();
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  await producer.send({ topic: 'texts', messages: [{ value: 'kept' }] });
  await producer.disconnect();

  const mqtt = await connectAsync(urls.mqttUrl);
  await mqtt.publishAsync('texts', 'kept', { qos: 1, retain: true });
  await mqtt.endAsync();
}

async function readEverywhere({ urls }: Stack): Promise<{ document: unknown; record: unknown; message: unknown }> {
  const mongo = await new MongoClient(urls.mongodbUri).connect();
  const document = await mongo.db('stack').collection<{ _id: string; text: string }>('texts').findOne({ _id: 'one' });
  await mongo.close();
  const record = await firstRecord(urls.kafkaBrokers);
  const mqtt = await connectAsync(urls.mqttUrl);
  const arrived = new Promise<string>((resolve) =>
    mqtt.once('message', (_topic, payload) => resolve(payload.toString())),
  );
  await mqtt.subscribeAsync('texts');
  const message = await arrived;
  await mqtt.endAsync();
  return { document: document?.text, record, message };
}

async function firstRecord(brokers: string): Promise<string | undefined> {
  const consumer = kafkaOf(brokers).consumer({ groupId: `texts-${Date.now()}` });
  await consumer.connect();
  await consumer.subscribe({ topic: 'texts', fromBeginning: true });
  const { promise, resolve } = withResolver<string | undefined>();
  await consumer.run({ eachMessage: async ({ message }) => resolve(message.value?.toString()) });
  const value = await promise;
  await consumer.disconnect();
  return value;
}

function withResolver<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

function kafkaOf(brokers: string): Kafka {
  return new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING, retry: { retries: 20, maxRetryTime: 1_000 } });
}

interface OtherRun {
  readonly pid: number;
  readonly ended: ReturnType<typeof spawn>;
  readonly dataDir: string;
  readonly servers: ProcessIdentity[];
}

async function startInAnotherProcess(): Promise<OtherRun> {
  const script = `
    const { startStack } = await import(${JSON.stringify(join(projectFolder(), 'dist', 'stack', 'stack.js'))});
    const stack = await startStack({ say: () => {}, parts: ['mqtt', 'mongodb'] });
    console.log(JSON.stringify({ dataDir: stack.dataDir, pids: [stack.parts.mqtt.pid, stack.parts.mongodb.pid] }));
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit').then(() => Promise.reject(new Error('the other run ended; is dist/ compiled?')));
  const [line] = (await Promise.race([once(createInterface({ input: child.stdout }), 'line'), exited])) as [string];
  const { dataDir, pids } = JSON.parse(line) as { dataDir: string; pids: number[] };
  return { pid: child.pid ?? 0, ended: child, dataDir, servers: pids.flatMap((pid) => identityOf(pid) ?? []) };
}
