import { backoff, sleep, type KafkaOptions } from '../kafka/client.js';
import { Producer } from '../kafka/producer.js';
import type { Log } from '../log/log.js';
import { Backlog } from './backlog.js';
import { Carrier } from './carrier.js';
import { MqttConnection, MqttError, type MqttMessage, type ProtocolVersion } from './mqtt-connection.js';
import { Subscription, type SubscriptionOptions } from './subscription.js';
import { toRecord, type BridgeTopics } from './to-record.js';

export interface BridgeOptions {
  readonly mqtt: SubscriptionOptions;
  readonly kafka: KafkaOptions;
  readonly topics: BridgeTopics;
  /** ms */
  readonly linger: number;
  /** Most records in one produce request. */
  readonly batch: number;
  readonly log: Log;
  /** Most payload bytes that are held before reading from the broker stops; 64 MiB when not given. */
  readonly heldBytes?: number;
  /** How long `stop` waits for Kafka, ms; 10,000 when not given. */
  readonly stopTimeout?: number;
  readonly now?: () => number;
}

export interface BridgeStatus {
  /** Subscribed at the broker. */
  readonly connected: boolean;
  /** Kafka takes records, as far as is known. */
  readonly kafkaAvailable: boolean;
  /** Messages from the broker, those that it sent again included. */
  readonly received: number;
  /** Messages in the sensor topic. */
  readonly produced: number;
  /** Messages in the dead-letter topic. */
  readonly deadLettered: number;
  /** Messages that Kafka has not acknowledged yet. */
  readonly inFlight: number;
}

const HELD_BYTES = 64 * 1_048_576;
const STOP_TIMEOUT = 10_000;
/** A connection that lasted this long starts the backoff anew, ms. */
const STABLE = 10_000;
/** Longest delay between two tries, ms: a broker that lost the session keeps nothing until the bridge is back. */
const LONGEST_DELAY = 2_000;

/**
 * Carries every MQTT message into Kafka. The PUBACK goes out only when Kafka has the record, so a message stays with the
 * broker until then. Broker or Kafka away means waiting; both come back by themselves. Messages that are not acknowledged
 * are bounded by the receive maximum (MQTT 5), and on any protocol by not reading on.
 *
 * QoS 0 messages (a car may publish so) have no PUBACK: they are carried all the same, and lost with the process.
 * Retained messages are carried like others; a shared subscription never gets them, a plain one at every subscribing.
 */
export class MqttBridge {
  readonly #options: BridgeOptions;
  readonly #now: () => number;
  readonly #backlog: Backlog;
  readonly #carrier: Carrier;
  readonly #producer: Producer;
  readonly #subscription: Subscription;
  readonly #stopping = new AbortController();
  readonly #listening: Promise<void>;
  #connected = false;
  #hadSession = false;
  #received = 0;
  #told = '';
  #stopped: Promise<void> | null = null;

  constructor(options: BridgeOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    const { mqtt, batch, linger, topics, log, heldBytes = HELD_BYTES } = options;
    this.#backlog = new Backlog({ messages: mqtt.receiveMaximum, bytes: heldBytes });
    this.#producer = new Producer(options.kafka, { records: batch });
    this.#carrier = new Carrier(this.#backlog, this.#producer, { batch, linger, topics, log, now: this.#now });
    this.#subscription = new Subscription({ ...mqtt, filter: topics.filter });
    this.#listening = this.#listen();
  }

  status(): BridgeStatus {
    const { produced, deadLettered } = this.#carrier;
    const { available: kafkaAvailable } = this.#producer;
    const inFlight = this.#backlog.held;
    return { connected: this.#connected, kafkaAvailable, received: this.#received, produced, deadLettered, inFlight };
  }

  /**
   * Takes nothing more, brings what it has into Kafka (as long as that is there), sends the PUBACKs that are due and
   * disconnects; the broker keeps the session and with it everything else. May be called twice.
   */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#stopping.abort(new Error('The bridge stops'));
    await this.#carrier.finish(this.#options.stopTimeout ?? STOP_TIMEOUT);
    await this.#listening;
    await this.#producer.close();
  }

  async #listen(): Promise<void> {
    const { signal } = this.#stopping;
    for (let failures = 0; !signal.aborted; failures += 1) {
      const since = this.#now();
      try {
        this.#tell('warn', `MQTT: ${await this.#listenOnce()}; connecting again`);
      } catch (error) {
        this.#tell('error', `MQTT: ${(error as Error).message}; trying again`);
      }
      if (this.#now() - since > STABLE) failures = 0;
      await sleep(Math.min(backoff(failures), LONGEST_DELAY), signal).catch(() => undefined);
    }
  }

  /** One connection, from its beginning to the reason of its end. */
  async #listenOnce(): Promise<string> {
    await this.#subscription.choose(this.#stopping.signal);
    const connection = await this.#open();
    try {
      if (this.#hadSession && !connection.sessionPresent) this.#lostSession();
      this.#hadSession = true;
      // When stopping, the connection is held open until the carrier is through, for the PUBACKs.
      const carried = this.#carrier.ended.then(() => 'stopped');
      await Promise.race([this.#subscribe(connection), carried]);
      this.#connected = true;
      return await Promise.race([connection.closed, carried]);
    } finally {
      this.#connected = false;
      await connection.end();
    }
  }

  async #open(): Promise<MqttConnection> {
    try {
      return await this.#openAs(5);
    } catch (error) {
      if (error instanceof MqttError && error.code === 'PROTOCOL_VERSION') return await this.#openAs(4);
      throw error;
    }
  }

  #openAs(version: ProtocolVersion): Promise<MqttConnection> {
    return MqttConnection.open(this.#options.mqtt, version, (message) => this.#take(message), this.#stopping.signal);
  }

  #lostSession(): void {
    this.#subscription.doubt();
    this.#tell('warn', 'MQTT: the broker lost the session, and what it kept for this bridge');
  }

  async #subscribe(connection: MqttConnection): Promise<void> {
    const { filter, note } = await this.#subscription.subscribe(connection, this.#stopping.signal);
    const at = withoutPassword(this.#options.mqtt.url);
    this.#tell('info', `MQTT: subscribed to ${filter} at ${at}${note && `; ${note}`}`);
  }

  #take(message: MqttMessage): Promise<void> | null {
    // Neither carried nor acknowledged: the broker keeps it for the next bridge.
    if (this.#stopping.signal.aborted) return null;
    this.#received += 1;
    const receivedAt = this.#now();
    const record = toRecord(message, receivedAt, this.#options.topics);
    const carried = { record, receivedAt, source: message.source, held: message.held };
    if (!(message.dup && this.#backlog.repeats(carried))) this.#backlog.add(carried);
    return this.#backlog.room();
  }

  /** One line per change of state, however often a try fails for the same reason. */
  #tell(level: 'error' | 'warn' | 'info', line: string): void {
    if (line === this.#told || this.#stopping.signal.aborted) return;
    this.#told = line;
    this.#options.log(level, line);
  }
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^/@]*@/, '//');
}
