import type { Log } from '../kafka/client.js';
import { ProduceError, type OutRecord } from '../kafka/out-record.js';
import { Producer } from '../kafka/producer.js';
import { ensureTopics, RECORD_MAX_BYTES } from '../kafka/topics.js';
import { PublishError, type Sender } from './sender.js';

export interface KafkaSenderOptions {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly clientId: string;
  /** Messages that may be unacknowledged. */
  readonly window: number;
  /** Told how many more Kafka has. */
  readonly onAcknowledged: (count: number) => void;
}

/** ms in which messages that are sent gather to one request */
const LINGER = 5;
/** Of a topic that is not there yet; the service's own topics have as many by default. */
const NEW_TOPIC = { partitions: 10, replication: 1, retention: 168, maxBytes: RECORD_MAX_BYTES };

/** Sends to a Kafka topic, key = car id, acks=all, in order. It waits for Kafka as long as it takes and loses nothing. */
export class KafkaSender implements Sender {
  readonly #options: KafkaSenderOptions;
  readonly #producer: Producer;
  readonly #opening = new AbortController();
  #gathered: OutRecord[] = [];
  #gathering: NodeJS.Timeout | null = null;
  #unacknowledged = 0;
  #trouble: string | null = 'not connected yet';
  #refused: PublishError | null = null;
  #waiting: { readonly room: number; wake(): void } | null = null;

  constructor(options: KafkaSenderOptions) {
    this.#options = options;
    this.#producer = new Producer({ brokers: options.brokers, clientId: options.clientId, log: this.#note });
  }

  get trouble(): string | null {
    return this.#refused?.message ?? this.#trouble;
  }

  async open(patience: number): Promise<void> {
    const { brokers, clientId, topic } = this.#options;
    const signal = AbortSignal.any([this.#opening.signal, AbortSignal.timeout(patience)]);
    try {
      await ensureTopics({ brokers, clientId, log: this.#note }, [{ ...NEW_TOPIC, topic }], signal);
    } catch (error) {
      if (this.#opening.signal.aborted) return;
      if (!signal.aborted) throw error;
      throw new PublishError('UNREACHABLE', `no Kafka: ${this.#trouble}`);
    }
    // That an existing topic has another number of partitions is no trouble here.
    this.#trouble = null;
  }

  send(car: string, payload: Buffer): void {
    this.#gathered.push({ topic: this.#options.topic, key: car, value: payload });
    this.#unacknowledged++;
    this.#gathering ??= setTimeout(() => this.#produce(), LINGER);
  }

  room(): Promise<void> | null {
    // Waits are rare when half of the window is to come free.
    return this.#unacknowledged < this.#options.window ? null : this.#until(this.#options.window / 2);
  }

  async drained(): Promise<void> {
    if (this.#unacknowledged > 0) await this.#until(0);
    if (this.#refused !== null) throw this.#refused;
  }

  wake(): void {
    this.#opening.abort();
    this.#waiting?.wake();
    this.#waiting = null;
  }

  async end(): Promise<void> {
    this.#opening.abort();
    if (this.#gathering) clearTimeout(this.#gathering);
    this.#gathering = null;
    this.#gathered = [];
    await this.#producer.close();
    this.wake();
  }

  #produce(): void {
    const records = this.#gathered;
    this.#gathered = [];
    this.#gathering = null;
    this.#producer.send(records).then(
      () => this.#acknowledged(records.length, 0),
      (error: unknown) => this.#failed(records.length, error),
    );
  }

  #failed(count: number, error: unknown): void {
    // Closed while Kafka was away: what was under way is forgotten, as `end` says.
    if (error instanceof ProduceError && error.code === 'PRODUCER_CLOSED') return;
    const refused = error instanceof ProduceError ? error.refused.length : count;
    this.#refused ??= new PublishError(
      'REFUSED',
      `Kafka refused messages for ${this.#options.topic}: ${String(error)}`,
    );
    this.#acknowledged(count - refused, refused);
  }

  #acknowledged(count: number, refused: number): void {
    this.#unacknowledged -= count + refused;
    this.#options.onAcknowledged(count);
    if (this.#waiting && this.#unacknowledged <= this.#waiting.room) this.wake();
  }

  readonly #note: Log = (level, message) => {
    if (level === 'warn' || level === 'error') this.#trouble = message;
    else if (level === 'info') this.#trouble = null;
  };

  #until(room: number): Promise<void> {
    return new Promise((wake) => (this.#waiting = { room, wake }));
  }
}
