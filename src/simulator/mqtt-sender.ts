import { connect, type MqttClient } from 'mqtt';
import { PublishError, type Sender } from './sender.js';

export interface SenderOptions {
  readonly url: string;
  readonly clientId: string;
  /** Before the car's id */
  readonly topicPrefix: string;
  /** Messages that may be unacknowledged. */
  readonly window: number;
  readonly onAcknowledged: () => void;
}

interface Outgoing {
  readonly topic: string;
  readonly payload: Buffer;
}

const CONNECT_TIMEOUT = 5_000;
const END_TIMEOUT = 2_000;
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 2_000;
/** CONNACK code of MQTT 3.1.1 that does not speak against trying again */
const SERVER_UNAVAILABLE = 3;
/** s */
const KEEPALIVE = 15;

/**
 * Sends to an MQTT broker in order at QoS 1, over one connection at a time, and keeps every message until it is
 * acknowledged: when a connection breaks, the next one begins with all that were not, oldest first. So nothing is lost and
 * nothing overtakes; what the broker had but could not acknowledge any more is sent twice. No session is needed for that,
 * only the same client id, by which the broker ends the former connection before it takes the new one [MQTT-3.1.4-2].
 */
export class MqttSender implements Sender {
  readonly #options: SenderOptions;
  /** In the order of sending. */
  readonly #pending = new Map<number, Outgoing>();
  #client: MqttClient | null = null;
  #next = 0;
  #up = false;
  #ended = false;
  #pause = FIRST_PAUSE;
  #retry: NodeJS.Timeout | null = null;
  #refused = false;
  #trouble: string | null = 'not connected yet';
  #waiting: { readonly room: number; wake(): void } | null = null;
  #opening: ((outcome: 'up' | 'woken' | 'REFUSED' | 'UNREACHABLE') => void) | null = null;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  get trouble(): string | null {
    return this.#trouble;
  }

  get unacknowledged(): number {
    return this.#pending.size;
  }

  async open(patience: number): Promise<void> {
    const outcome = await new Promise<'up' | 'woken' | 'REFUSED' | 'UNREACHABLE'>((resolve) => {
      const late = setTimeout(() => this.#opening?.('UNREACHABLE'), patience);
      this.#opening = (outcome) => {
        clearTimeout(late);
        this.#opening = null;
        resolve(outcome);
      };
      this.#connect();
    });
    if (outcome === 'up' || outcome === 'woken') return;
    const trouble = this.#trouble ?? 'no answer';
    await this.end();
    // Not the whole URL: it may hold a password.
    throw new PublishError(outcome, `no MQTT broker at ${new URL(this.#options.url).host}: ${trouble}`);
  }

  send(car: string, payload: Buffer): void {
    const id = this.#next++;
    const message = { topic: this.#options.topicPrefix + car, payload };
    this.#pending.set(id, message);
    if (this.#up) this.#publish(id, message);
  }

  room(): Promise<void> | null {
    // Half of the window at once: the packets then share a write to the socket.
    return this.#pending.size < this.#options.window ? null : this.#until(this.#options.window / 2);
  }

  async drained(): Promise<void> {
    if (this.#pending.size > 0) await this.#until(0);
  }

  wake(): void {
    this.#waiting?.wake();
    this.#waiting = null;
    this.#opening?.('woken');
  }

  async end(): Promise<void> {
    this.#ended = true;
    this.#up = false;
    if (this.#retry) clearTimeout(this.#retry);
    const client = this.#client;
    this.#client = null;
    this.wake();
    if (!client) return;
    const late = setTimeout(() => client.stream.destroy(), END_TIMEOUT);
    await new Promise<void>((resolve) => client.end(this.#pending.size > 0, {}, () => resolve()));
    clearTimeout(late);
  }

  #connect(): void {
    const client = connect(this.#options.url, {
      protocolVersion: 4,
      clientId: this.#options.clientId,
      clean: true,
      keepalive: KEEPALIVE,
      connectTimeout: CONNECT_TIMEOUT,
      reconnectPeriod: 0,
      resubscribe: false,
    });
    this.#client = client;
    client.on('connect', () => this.#connected(client));
    client.on('error', (error) => this.#failed(error));
    client.once('close', () => this.#closed(client));
  }

  #connected(client: MqttClient): void {
    if (this.#client !== client) return;
    this.#up = true;
    this.#trouble = null;
    this.#pause = FIRST_PAUSE;
    for (const [id, message] of this.#pending) this.#publish(id, message);
    this.#opening?.('up');
  }

  #failed(error: Error & { code?: unknown }): void {
    // An error of several addresses has no message of its own.
    this.#trouble = error.message || String(error.code);
    // A number is the CONNACK's; anything else is a fault of the way there.
    this.#refused = typeof error.code === 'number' && error.code !== SERVER_UNAVAILABLE;
  }

  #closed(client: MqttClient): void {
    if (this.#client !== client) return;
    this.#up = false;
    this.#trouble ??= 'the broker closed the connection';
    client.end(true);
    if (this.#ended) return;
    if (this.#refused) this.#opening?.('REFUSED');
    this.#retry = setTimeout(() => this.#connect(), this.#pause);
    this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE);
  }

  #publish(id: number, { topic, payload }: Outgoing): void {
    this.#client?.publish(topic, payload, { qos: 1 }, (error) => {
      // With an error the connection is gone, and the next one sends it again.
      if (!error && this.#pending.delete(id)) this.#acknowledged();
    });
  }

  #acknowledged(): void {
    this.#options.onAcknowledged();
    if (this.#waiting && this.#pending.size <= this.#waiting.room) this.wake();
  }

  #until(room: number): Promise<void> {
    return new Promise((wake) => (this.#waiting = { room, wake }));
  }
}
