import { endLeftovers } from '../stack/stack-record.js';
import { startStack } from '../stack/stack.js';
import { surroundingsOf } from '../stack/surroundings.js';

/**
 * Starts the servers that the environment does not name, but for MongoDB, of which each file has its own
 * (file-database.ts). A named one that cannot be reached fails the suite.
 */
export default async function setup(): Promise<() => Promise<void>> {
  const named = process.env['MONGODB_URI'] ? (['mongodb'] as const) : [];
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  const stack = await startStack({ parts: [...named, 'kafka', 'mqtt'], say });
  process.env['KAFKA_BROKERS'] = stack.urls.kafkaBrokers;
  process.env['MQTT_URL'] = stack.urls.mqttUrl;
  return async () => {
    await stack.stop();
    // Of a worker that was killed.
    await endLeftovers(surroundingsOf(process.env).cacheDir);
  };
}
