import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { choosePort } from '../stack/free-port.js';
import type { Stack } from '../stack/stack.js';
import type { Database } from '../src/twin/database.js';

/** A process of the service, as it runs in production. */
export interface ServiceProcess {
  readonly process: ChildProcess;
  readonly port: number;
  readonly url: string;
  stop(): Promise<void>;
}

/** @param name of the database, the sensor topic and the consumer group */
export async function spawnService(
  urls: Stack['urls'],
  name: string,
  role: 'ingest' | 'api',
  env: Readonly<Record<string, string>> = {},
): Promise<ServiceProcess> {
  const port = await choosePort(undefined);
  const main = fileURLToPath(new URL('../src/main.js', import.meta.url));
  const flags = process.env['NODE_FLAGS']?.split(' ').filter(Boolean) ?? [];
  const child = spawn(process.execPath, [...flags, main], {
    env: {
      ...process.env,
      ROLES: role,
      HTTP_PORT: String(port),
      LOG_LEVEL: 'warn',
      MONGODB_URI: urls.mongodbUri,
      MONGODB_DATABASE: name,
      KAFKA_BROKERS: urls.kafkaBrokers,
      KAFKA_GROUP_ID: name,
      SENSOR_TOPIC: name,
      HISTORY_RETENTION: '0',
      ...env,
    },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  createInterface({ input: child.stderr }).on('line', (line) => void process.stderr.write(`${line}\n`));
  const stop = async () => {
    if (child.exitCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  };
  return { process: child, port, url: `http://127.0.0.1:${port}`, stop };
}

/** Until its probe says that it is ready. @throws Error when it ends by itself */
export async function ready({ process: child, url }: ServiceProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error('the service ended by itself');
    const answer = await fetch(`${url}/health/ready`).catch(() => null);
    await answer?.arrayBuffer();
    if (answer?.ok) return;
    await delay(50);
  }
}

/** Readings in the history, by the positions. */
export async function storedReadings({ collections }: Database): Promise<number> {
  const positions = await collections.positions.find({}, { projection: { counts: 1 } }).toArray();
  return positions.reduce((sum, { counts }) => sum + counts.stored, 0);
}

/** Peak resident memory of a process, MiB; 0 where the system does not tell. */
export function peakMemory(pid: number): number {
  try {
    return Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1_024);
  } catch {
    return 0;
  }
}

export function middle(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[numbers.length >> 1] ?? 0;
}
