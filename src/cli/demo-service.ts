import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { choosePort } from '../../stack/free-port.js';
import { ServerProcess } from '../../stack/server-process.js';
import type { Stack } from '../../stack/stack.js';
import { tell } from './terminal.js';

export interface DemoService {
  readonly url: string;
  /** Rejects when the service ends by itself. */
  readonly died: Promise<never>;
  stop(): Promise<void>;
}

export interface DemoServiceOptions {
  readonly port: number;
  readonly csv?: string;
}

/** The service with all roles, in a process of its own, on the servers of the stack. */
export async function startDemoService(stack: Stack, options: DemoServiceOptions): Promise<DemoService> {
  const port = await choosePort(options.port === 0 ? undefined : options.port);
  const url = `http://127.0.0.1:${port}`;
  let died: (death: Error) => void = () => undefined;
  const death = new Promise<never>((_, reject) => {
    died = reject;
  });
  death.catch(() => undefined);
  const server = {
    command: process.execPath,
    args: [fileURLToPath(new URL('../main.js', import.meta.url))],
    env: environment(stack, port, options),
    url,
    prepare: () => Promise.resolve(),
    ready: () => askReady(url),
  };
  const logFile = join(stack.dataDir, 'service.log');
  const child = new ServerProcess({
    name: 'service',
    server,
    port,
    logFile,
    onStart: (identity) => stack.adopt('service', url, identity),
    onDeath: (error) => died(error),
  });
  const started = Date.now();
  await child.start().catch(async (error: unknown) => {
    await child.stop();
    throw error;
  });
  tell(`service: all roles at ${url} (${((Date.now() - started) / 1_000).toFixed(1)} s; log ${logFile})`);
  return { url, died: death, stop: () => child.stop() };
}

/** A replay of an old CSV must not fall to the retention. */
function environment({ urls }: Stack, port: number, { csv }: DemoServiceOptions): Record<string, string> {
  return {
    MONGODB_URI: urls.mongodbUri,
    KAFKA_BROKERS: urls.kafkaBrokers,
    MQTT_URL: urls.mqttUrl,
    // The demo is the same whatever the settings of the user's shell are for.
    MONGODB_DATABASE: 'fleet',
    ROLES: 'bridge,ingest,api',
    MQTT_TOPIC: 'vehicles/sensor/data/#',
    SENSOR_FORMAT: 'auto',
    GRAPHIQL: 'on',
    HTTP_HOST: '127.0.0.1',
    HTTP_PORT: String(port),
    ...(csv === undefined ? {} : { HISTORY_RETENTION: '0' }),
  };
}

async function askReady(url: string): Promise<void> {
  const response = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(2_000) });
  if (!response.ok) throw new Error(await response.text());
}
