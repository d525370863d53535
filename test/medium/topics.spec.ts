import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { ConfigResourceTypes } from 'kafkajs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { kafkaClient, type KafkaOptions, type LogLevel } from '../../src/kafka/client.js';
import {
  DEAD_LETTER_MAX_BYTES,
  RECORD_MAX_BYTES,
  ensureTopics,
  topicsOf,
  type TopicSpec,
} from '../../src/kafka/topics.js';
import { startProxy } from '../tcp-proxy.js';

const [broker = ''] = (process.env['KAFKA_BROKERS'] ?? '').split(',');
const size = { partitions: 3, replication: 1, retention: 2 };
let lines: string[];
let events: EventEmitter;
let options: KafkaOptions;
let topics: TopicSpec[];

beforeEach(() => {
  if (broker === '') throw new Error('KAFKA_BROKERS is not set: these tests need the real Kafka');
  lines = [];
  events = new EventEmitter();
  const log = (level: LogLevel, message: string) => {
    if (level === 'debug') return;
    lines.push(message);
    events.emit('line');
  };
  options = { brokers: [broker], clientId: 'topics-spec', log };
  const id = `test-${randomUUID().slice(0, 8)}`;
  const names = {
    sensor: id,
    predictions: `${id}-predictions`,
    anomalies: `${id}-anomalies`,
    modelUpdates: `${id}-models`,
    deadLetters: `${id}-dlq`,
  };
  topics = topicsOf(names, size);
});

afterEach(async () => {
  await withAdmin((admin) => admin.deleteTopics({ topics: topics.map(({ topic }) => topic) }));
});

describe('ensureTopics', () => {
  it('creates every topic with its partitions, retention and limits, the dead letters with the larger one', async () => {
    await ensureTopics(options, topics);
    await withAdmin(async (admin) => {
      const metadata = await admin.fetchTopicMetadata({ topics: topics.map(({ topic }) => topic) });
      expect(metadata.topics.map(({ partitions }) => partitions.length)).toEqual([3, 3, 3, 3, 3]);
      const resources = topics.map(({ topic: name }) => ({ type: ConfigResourceTypes.TOPIC, name }));
      const configs = await admin.describeConfigs({ resources, includeSynonyms: false });
      const valueOf = (topic: string, entry: string) =>
        configs.resources
          .find(({ resourceName }) => resourceName === topic)
          ?.configEntries.find(({ configName }) => configName === entry)?.configValue;
      for (const { topic, maxBytes } of topics) {
        expect(valueOf(topic, 'retention.ms')).toBe('7200000');
        expect(valueOf(topic, 'max.message.bytes')).toBe(String(maxBytes));
        expect(valueOf(topic, 'cleanup.policy')).toBe(topic.endsWith('-models') ? 'compact' : 'delete');
      }
    });
    expect(topics.map(({ maxBytes }) => maxBytes)).toEqual([
      RECORD_MAX_BYTES,
      RECORD_MAX_BYTES,
      RECORD_MAX_BYTES,
      RECORD_MAX_BYTES,
      DEAD_LETTER_MAX_BYTES,
    ]);
  });

  it('may be called again, and by many processes at once', async () => {
    await Promise.all(Array.from({ length: 4 }, () => ensureTopics(options, topics)));
    await ensureTopics(options, topics);
    await withAdmin(async (admin) =>
      expect(await admin.listTopics()).toEqual(expect.arrayContaining(topics.map(({ topic }) => topic))),
    );
    expect(lines.filter((line) => !line.startsWith('Created'))).toEqual([]);
  });

  it('leaves a topic with another number of partitions as it is, and says so', async () => {
    await ensureTopics(options, topics);
    lines.length = 0;
    await ensureTopics(
      options,
      topics.map((topic, index) => (index === 0 ? { ...topic, partitions: 5 } : topic)),
    );
    expect(lines).toEqual([`Topic ${topics[0]?.topic} has 3 partitions, the settings say 5; it is left as it is`]);
  });

  it('waits for Kafka, and says so once', async () => {
    const [host = '', port] = broker.split(':');
    const proxy = await startProxy({ host, port: Number(port) });
    const address = { host: '127.0.0.1', port: proxy.port };
    proxy.cut();
    const ensured = ensureTopics({ ...options, route: () => address }, topics);
    while (lines.length < 1) await once(events, 'line');
    proxy.resume();
    await ensured;
    await proxy.close();
    expect(lines.filter((line) => line.includes('wait'))).toHaveLength(1);
    expect(lines.at(-1)).toBe('Kafka is there, and the topics are');
  });

  it('gives up when it is told to', async () => {
    const signal = AbortSignal.abort(new Error('not today'));
    await expect(ensureTopics(options, topics, signal)).rejects.toThrow('not today');
    await ensureTopics(options, topics);
  });
});

async function withAdmin(work: (admin: ReturnType<ReturnType<typeof kafkaClient>['kafka']['admin']>) => Promise<void>) {
  const admin = kafkaClient(options).kafka.admin();
  await admin.connect();
  await work(admin);
  await admin.disconnect();
}
