import type { Admin } from 'kafkajs';
import { kafkaClient, type KafkaOptions } from './client.js';

/** Where a partition's log begins and ends, and whose it is. */
export interface LogBounds {
  /** First offset that is still there. */
  readonly low: number;
  /** First offset that is not yet written. */
  readonly high: number;
  readonly clusterId: string;
}

/** Asks Kafka where logs begin and end. Connects at the first question. */
export class LogOffsets {
  readonly #admin: Admin;
  #connected: Promise<string> | null = null;

  constructor(options: KafkaOptions) {
    this.#admin = kafkaClient(options).kafka.admin();
  }

  /** @throws kafkajs's errors while Kafka is away */
  async bounds(topic: string, partition: number): Promise<LogBounds> {
    const clusterId = await this.#connect();
    const offsets = await this.#admin.fetchTopicOffsets(topic);
    const found = offsets.find((one) => one.partition === partition);
    if (!found) throw new Error(`Kafka does not know partition ${partition} of ${topic}`);
    return { low: Number(found.low), high: Number(found.high), clusterId };
  }

  /** How many partitions the topic has now. */
  async partitions(topic: string): Promise<number> {
    await this.#connect();
    return (await this.#admin.fetchTopicOffsets(topic)).length;
  }

  async close(): Promise<void> {
    await this.#admin.disconnect();
  }

  #connect(): Promise<string> {
    this.#connected ??= this.#admin
      .connect()
      .then(() => this.#admin.describeCluster())
      .then(({ clusterId }) => clusterId)
      .catch((error: unknown) => {
        this.#connected = null;
        throw error;
      });
    return this.#connected;
  }
}
