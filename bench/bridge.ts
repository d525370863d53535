import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { connectAsync } from 'mqtt';
import { kafkaClient, type Log } from '../src/kafka/client.js';
import { ensureTopics } from '../src/kafka/topics.js';
import { MqttBridge } from '../src/mqtt-bridge/mqtt-bridge.js';

/**
 * Messages a second from a preloaded MQTT broker into Kafka, QoS 1 and acks=all. The broker gets them all (from a child
 * process) while the bridge is away, and the time runs from the first message that the bridge receives.
 *
 *     node dist/bench/bridge.js [messages] [bytes]        MQTT_URL, KAFKA_BROKERS
 */
const [messages = 100_000, bytes = 500] = process.argv.slice(2).map(Number);
const url = process.env['MQTT_URL'] ?? 'mqtt://127.0.0.1:1883';
const brokers = (process.env['KAFKA_BROKERS'] ?? '127.0.0.1:9092').split(',');
const id = `bench-${process.pid}`;
const log: Log = (level, message) => {
  if (level !== 'debug') console.error(message);
};

if (process.send) await preload(process.env['BENCH_TOPIC'] ?? '');
else await measure();

async function measure(): Promise<void> {
  const kafka = { brokers, clientId: id, log };
  const size = { partitions: 10, replication: 1, retention: 1, maxBytes: 1_048_576 };
  await ensureTopics(kafka, [
    { ...size, topic: id },
    { ...size, topic: `${id}-dlq` },
  ]);
  const options = {
    mqtt: { url, clientId: id, shareGroup: id, sessionExpiry: 600, receiveMaximum: 2_000 },
    kafka,
    topics: { filter: `${id}/#`, sensor: id, deadLetters: `${id}-dlq`, maxBody: 900_000 },
    linger: 5,
    batch: 1_000,
    log,
  };
  const first = new MqttBridge(options);
  await until(() => first.status().connected);
  await first.stop();
  await child();
  const bridge = new MqttBridge(options);
  await until(() => bridge.status().received > 0);
  const cpu = process.cpuUsage();
  const start = performance.now();
  let memory = 0;
  await until(() => {
    memory = Math.max(memory, process.memoryUsage().rss);
    return bridge.status().produced >= messages;
  });
  const seconds = (performance.now() - start) / 1_000;
  const used = process.cpuUsage(cpu);
  await bridge.stop();
  await cleanUp();
  const perSecond = Math.round(messages / seconds);
  const cpuMicros = Math.round((used.user + used.system) / messages);
  console.log(JSON.stringify({ messages, bytes, seconds, perSecond, cpuMicros, memoryMiB: memory >> 20 }));
}

/** Publishes everything at full speed. */
async function preload(topic: string): Promise<void> {
  const client = await connectAsync(url);
  const payload = Buffer.alloc(bytes, 'x');
  for (let done = 0; done < messages; ) {
    const some = Math.min(1_000, messages - done);
    await Promise.all(
      Array.from({ length: some }, (_, i) =>
        client.publishAsync(`${topic}/car${(done + i) % 1_000}`, payload, { qos: 1 }),
      ),
    );
    done += some;
  }
  await client.endAsync();
  process.disconnect();
}

async function child(): Promise<void> {
  const publisher = fork(fileURLToPath(import.meta.url), process.argv.slice(2), {
    env: { ...process.env, BENCH_TOPIC: id },
  });
  await new Promise((resolve) => publisher.once('exit', resolve));
}

async function cleanUp(): Promise<void> {
  const session = await connectAsync(url, { clientId: id, protocolVersion: 5, clean: true });
  await session.endAsync();
  const admin = kafkaClient({ brokers, clientId: id, log }).kafka.admin();
  await admin.connect();
  await admin.deleteTopics({ topics: [id, `${id}-dlq`] });
  await admin.disconnect();
}

async function until(reached: () => boolean): Promise<void> {
  while (!reached()) await new Promise((resolve) => setTimeout(resolve, 10));
}
