import { Kafka, logLevel } from 'kafkajs';
import { simulateFleet } from '../src/simulator/fleet.js';
import { encodeMessage } from '../src/simulator/wire.js';

export interface Load {
  readonly cars: number;
  readonly records: number;
  readonly seed: number;
  readonly partitions: number;
  /** After what an earlier load of the topic sent. */
  readonly later?: boolean;
}

/** Makes a topic and fills it with what simulated cars sent in the last hour. */
export async function preload(
  brokers: string,
  topic: string,
  { cars, records, seed, partitions, later = false }: Load,
): Promise<void> {
  const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: partitions }], waitForLeaders: true });
  await admin.disconnect();
  const producer = kafka.producer();
  await producer.connect();
  let messages: { key: string; value: Buffer }[] = [];
  const flush = async () => {
    await producer.send({ topic, messages, acks: -1 });
    messages = [];
  };
  const start = Date.now() - (later ? 1_800_000 : 3_600_000);
  for (const message of simulateFleet({ cars, seed, start, stepSeconds: later ? 0.5 : 10, messages: records })) {
    messages.push({ key: message.car, value: encodeMessage(message) });
    if (messages.length >= 2_000) await flush();
  }
  if (messages.length > 0) await flush();
  await producer.disconnect();
}
