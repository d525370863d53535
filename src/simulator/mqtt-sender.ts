import { connect, type MqttClient } from 'mqtt';

export interface SenderOptions {
  readonly url: string;
  readonly clientId: string;
  /** Messages that may be unacknowledged. */
  readonly window: number;
  readonly onAcknowledged: () => void;
}

export class PublishError extends Error {
  override readonly name = 'PublishError';

  constructor(
    readonly code: 'UNREACHABLE' | 'REFUSED',
    message: string,
  ) {
    super(message);
  }
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
export class MqttSender {
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

  /** Why there is no connection; null when there is one. */
  get trouble(): string | null {
    return this.#trouble;
  }

  get unacknowledged(): number {
    return this.#pending.size;
  }

  /**
   * Connects; once that has worked, it is done again whenever needed. Returns early when woken.
   *
   * @throws PublishError when the broker refuses, or after `patience` ms of trying
   */
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

  /** Takes a message whatever the room is: ask for `room` before. */
  send(topic: string, payload: Buffer): void {
    const id = this.#next++;
    const message = { topic, payload };
    this.#pending.set(id, message);
    if (this.#up) this.#publish(id, message);
  }

  /** null when there is room; else resolves when there is again, or when woken. One waiter at a time. */
  room(): Promise<void> | null {
    // Half of the window at once: the packets then share a write to the socket.
    return this.#pending.size < this.#options.window ? null : this.#until(this.#options.window / 2);
  }

  /** Resolves when everything is acknowledged, or when woken. */
  async drained(): Promise<void> {
    if (this.#pending.size > 0) await this.#until(0);
  }

  /** Lets the one who waits for room or for the end go on. */
  wake(): void {
    this.#waiting?.wake();
    this.#waiting = null;
    this.#opening?.('woken');
  }

  /** Says DISCONNECT and forgets what is unacknowledged. May be called twice. */
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
