import type { Admin, ITopicConfig } from 'kafkajs';
import { kafkaClient, untilItWorks, type KafkaOptions, type Log } from './client.js';

export interface TopicSpec {
  readonly topic: string;
  readonly partitions: number;
  readonly replication: number;
  /** h */
  readonly retention: number;
  /** Largest batch of records, bytes. */
  readonly maxBytes: number;
  /** The newest record of each key is kept for ever, instead of all records for the retention. */
  readonly compacted?: boolean;
}

export interface TopicNames {
  readonly sensor: string;
  readonly predictions: string;
  readonly anomalies: string;
  readonly modelUpdates: string;
  readonly deadLetters: string;
  /** Canonical readings; none when not given. */
  readonly normalised?: string | undefined;
  /** Topics of arrays; none when not given. */
  readonly arrays?: readonly string[];
}

export const RECORD_MAX_BYTES = 1_048_576;
/** A dead letter is a whole record and the reason on top of it. */
export const DEAD_LETTER_MAX_BYTES = 2 * RECORD_MAX_BYTES;

/** Every topic of the service. Events of anomalies and predictions are keyed by car, as the sensor records are. */
export function topicsOf(
  names: TopicNames,
  size: Pick<TopicSpec, 'partitions' | 'replication' | 'retention'>,
): TopicSpec[] {
  const maxBytes = RECORD_MAX_BYTES;
  return [
    { ...size, topic: names.sensor, maxBytes },
    { ...size, topic: names.predictions, maxBytes },
    { ...size, topic: names.anomalies, maxBytes },
    { ...size, topic: names.modelUpdates, maxBytes, compacted: true },
    ...(names.normalised === undefined ? [] : [{ ...size, topic: names.normalised, maxBytes }]),
    ...(names.arrays ?? []).map((topic) => ({ ...size, topic, maxBytes })),
    { ...size, topic: names.deadLetters, maxBytes: DEAD_LETTER_MAX_BYTES },
  ];
}

/**
 * Creates the topics that are missing, as often as it is called and by as many processes as there are. Waits for Kafka.
 * A topic that is there stays as it is; one with another number of partitions is named in the log.
 * @throws what the signal was aborted with
 */
export async function ensureTopics(
  options: KafkaOptions,
  topics: readonly TopicSpec[],
  signal?: AbortSignal,
): Promise<void> {
  const { log, brokers } = options;
  let told = false;
  const waiting = (error: unknown) => {
    if (isBeingMade(error)) return;
    if (!told) log('warn', `Topics wait for Kafka at ${brokers.join(', ')}: ${messageOf(error)}`);
    told = true;
  };
  await untilItWorks(() => createMissing(options, topics), waiting, signal);
  if (told) log('info', 'Kafka is there, and the topics are');
}

async function createMissing(options: KafkaOptions, topics: readonly TopicSpec[]): Promise<void> {
  const client = kafkaClient(options);
  const admin = client.kafka.admin();
  try {
    await admin.connect();
    const there = new Set(await admin.listTopics());
    const missing = topics.filter(({ topic }) => !there.has(topic));
    if (missing.length > 0) await create(admin, missing, options.log);
    await compare(admin, topics, options.log);
  } finally {
    admin.disconnect().catch(() => undefined);
    client.reset();
  }
}

async function create(admin: Admin, missing: readonly TopicSpec[], log: Log): Promise<void> {
  try {
    const created = await admin.createTopics({ topics: missing.map(configOf), waitForLeaders: true, timeout: 10_000 });
    if (created)
      log('info', `Created topics ${missing.map(({ topic, partitions }) => `${topic} (${partitions})`).join(', ')}`);
  } catch (error) {
    if (!wasQuicker(error)) throw error;
  }
}

/** Another process created them at the same time. kafkajs does not export the classes of these errors. */
function wasQuicker(error: unknown): boolean {
  const { errors } = error as { errors?: unknown };
  return Array.isArray(errors) && errors.every((each: { type?: unknown }) => each.type === 'TOPIC_ALREADY_EXISTS');
}

/** Another process was quicker, and not every broker knows of the topic yet: the next try finds it. */
function isBeingMade(error: unknown): boolean {
  return (error as { type?: unknown } | null)?.type === 'UNKNOWN_TOPIC_OR_PARTITION';
}

function configOf({ topic, partitions, replication, retention, maxBytes, compacted = false }: TopicSpec): ITopicConfig {
  return {
    topic,
    numPartitions: partitions,
    replicationFactor: replication,
    configEntries: [
      { name: 'retention.ms', value: String(retention * 3_600_000) },
      { name: 'cleanup.policy', value: compacted ? 'compact' : 'delete' },
      { name: 'max.message.bytes', value: String(maxBytes) },
    ],
  };
}

async function compare(admin: Admin, topics: readonly TopicSpec[], log: Log): Promise<void> {
  const wanted = new Map(topics.map(({ topic, partitions }) => [topic, partitions]));
  const metadata = await admin.fetchTopicMetadata({ topics: [...wanted.keys()] });
  for (const { name, partitions } of metadata.topics) {
    const count = wanted.get(name);
    if (count !== partitions.length)
      log('warn', `Topic ${name} has ${partitions.length} partitions, the settings say ${count}; it is left as it is`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
