import { startStack } from '../stack/stack.js';

/** Starts the servers that the environment does not name. A named one that cannot be reached fails the suite. */
export default async function setup(): Promise<() => Promise<void>> {
  const stack = await startStack({ say: (line) => void process.stderr.write(`${line}\n`) });
  // What lies in a server that goes with the suite need not be removed.
  if (!process.env['MONGODB_URI']) process.env['MONGODB_GOES'] = 'yes';
  process.env['MONGODB_URI'] = stack.urls.mongodbUri;
  process.env['KAFKA_BROKERS'] = stack.urls.kafkaBrokers;
  process.env['MQTT_URL'] = stack.urls.mqttUrl;
  return () => stack.stop();
}
