import { connect, type IClientPublishOptions, type IConnackPacket, type IPublishPacket, type MqttClient } from 'mqtt';
import { Acknowledgements, type Held } from './acknowledgements.js';

export interface MqttOptions {
  readonly url: string;
  readonly clientId: string;
  /** s */
  readonly sessionExpiry: number;
  readonly receiveMaximum: number;
  /** s; 30 when not given */
  readonly keepalive?: number;
}

export type ProtocolVersion = 4 | 5;

export interface MqttMessage {
  readonly topic: string;
  readonly payload: Buffer;
  /** MQTT 5: what the sender calls the kind of its payload. */
  readonly contentType: string | undefined;
  /** The broker may have sent it before [MQTT-3.3.1-1]. */
  readonly dup: boolean;
  readonly source: Acknowledgements;
  /** null for QoS 0, which has no PUBACK. */
  readonly held: Held | null;
}

/** Takes a message; a promise stops reading from the broker until it is settled. */
export type TakeMessage = (message: MqttMessage) => Promise<void> | null;

export type MqttErrorCode = 'PROTOCOL_VERSION' | 'SHARED_SUBSCRIPTION' | 'REFUSED' | 'UNREACHABLE';

export class MqttError extends Error {
  override readonly name = 'MqttError';
  readonly retriable = true;

  constructor(
    readonly code: MqttErrorCode,
    message: string,
  ) {
    super(message);
  }
}

const CONNECT_TIMEOUT = 10_000;
const END_TIMEOUT = 2_000;
/** CONNACK codes: 1 is 3.1.1's "unacceptable protocol version", 132 is MQTT 5's. */
const OTHER_VERSION = new Set([1, 132]);
const NO_SHARED_SUBSCRIPTIONS = 158;
const NO_PUBACK_YET = new Error('The PUBACK goes out when Kafka has the message');

/**
 * One connection to the broker, from CONNECT to its end: the bridge makes a new one (and a new client of mqtt.js) for every
 * try, so that nothing of the one before is left, PUBACKs least of all.
 *
 * mqtt.js handles packets one by one and sends the PUBACK of a message itself as soon as `handleMessage` calls back without
 * an error. Called back with an error it goes on with the next packet and sends none; the PUBACK is then written to the
 * connection's own stream when Kafka has the message. Not calling back stops the reading, PINGRESPs included, so while
 * that lasts this class keeps the broker's clock and mqtt.js's going. `mqtt-connection.spec.ts` pins what this rests on.
 */
export class MqttConnection {
  /** Why the connection ended, when it has. */
  readonly closed: Promise<string>;
  readonly #client: MqttClient;
  readonly #acknowledgements: Acknowledgements;
  readonly #take: TakeMessage;
  #endPause = () => {};
  #connack: IConnackPacket | null = null;
  #reason = 'the broker closed the connection';

  private constructor(options: MqttOptions, version: ProtocolVersion, take: TakeMessage) {
    this.#take = take;
    const client = connect(options.url, clientOptions(options, version));
    this.#client = client;
    this.#acknowledgements = new Acknowledgements((packets) => client.stream.write(packets));
    client.handleMessage = (packet, done) => this.#handle(packet, () => done(NO_PUBACK_YET));
    client.on('disconnect', ({ reasonCode }) => (this.#reason = disconnectReason(reasonCode)));
    client.on('error', (error) => (this.#reason = error.message || String((error as { code?: unknown }).code)));
    this.closed = new Promise((resolve) => {
      client.once('close', () => {
        this.#acknowledgements.drop();
        this.#endPause();
        resolve(this.#reason);
      });
    });
  }

  /** @throws MqttError when the broker is not there or does not want this client; what the signal was aborted with */
  static async open(
    options: MqttOptions,
    version: ProtocolVersion,
    take: TakeMessage,
    signal: AbortSignal,
  ): Promise<MqttConnection> {
    signal.throwIfAborted();
    const connection = new MqttConnection(options, version, take);
    const abort = () => connection.#client.stream.destroy();
    signal.addEventListener('abort', abort, { once: true });
    try {
      await connection.#accepted();
      signal.throwIfAborted();
      return connection;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** The broker kept the session, and sends again what was not acknowledged. */
  get sessionPresent(): boolean {
    return this.#connack?.sessionPresent === true;
  }

  /** Whether `$share/…` works. A 3.1.1 broker cannot say; some grant it and then deliver nothing. */
  get sharesSubscriptions(): boolean {
    return this.#client.options.protocolVersion === 5 && sharing(this.#connack);
  }

  /**
   * A retained message comes with a subscription that is new to the session, and not with every repetition of it.
   * @throws MqttError SHARED_SUBSCRIPTION, REFUSED, or UNREACHABLE when the connection closes
   */
  async subscribe(filter: string): Promise<void> {
    let granted: number | undefined;
    try {
      [{ qos: granted } = { qos: undefined }] = await this.#client.subscribeAsync(filter, { qos: 1, rh: 1 });
    } catch (error) {
      const answer = (error as { packet?: { granted?: number[] } }).packet;
      if (answer === undefined) throw new MqttError('UNREACHABLE', this.#reason);
      const shared = answer.granted?.[0] === NO_SHARED_SUBSCRIPTIONS;
      const message = `the broker refused the subscription to ${filter}: ${(error as Error).message}`;
      throw new MqttError(shared ? 'SHARED_SUBSCRIPTION' : 'REFUSED', message);
    }
    // Without a PUBACK there is nothing to hold back, and the broker would keep nothing.
    if (granted === 0) throw new MqttError('REFUSED', `the broker grants only QoS 0 for ${filter}`);
  }

  /**
   * Subscribed or not before; what the session holds from the subscription already still comes.
   * @throws MqttError UNREACHABLE when the connection closes
   */
  async unsubscribe(filter: string): Promise<void> {
    try {
      await this.#client.unsubscribeAsync(filter);
    } catch {
      throw new MqttError('UNREACHABLE', this.#reason);
    }
  }

  /**
   * At QoS 1; resolves with the PUBACK.
   * @param properties go out in MQTT 5 alone
   * @throws MqttError REFUSED, or UNREACHABLE when the connection closes
   */
  async publish(topic: string, payload: string, properties: IClientPublishOptions['properties']): Promise<void> {
    const options = { qos: 1 as const, ...(this.#client.options.protocolVersion === 5 && { properties }) };
    const sent = this.#client.publishAsync(topic, payload, options).then(
      () => null,
      (error: Error) => new MqttError('REFUSED', `the broker refused ${topic}: ${error.message}`),
    );
    const fault = await Promise.race([sent, this.closed.then(() => new MqttError('UNREACHABLE', this.#reason))]);
    if (fault) throw fault;
  }

  /** Ends with a DISCONNECT, after the PUBACKs that were due; the session stays with the broker. May be called twice. */
  async end(): Promise<void> {
    const late = setTimeout(() => this.#client.stream.destroy(), END_TIMEOUT);
    this.#client.end();
    await this.closed;
    clearTimeout(late);
  }

  async #accepted(): Promise<void> {
    const client = this.#client;
    let refused: number | undefined;
    client.once('error', (error) => {
      if ('code' in error && typeof error.code === 'number') refused = error.code;
    });
    const connack = new Promise<IConnackPacket>((resolve) => client.once('connect', resolve));
    this.#connack = await Promise.race([connack, this.closed.then(() => null)]);
    if (this.#connack !== null) return;
    if (refused === undefined) throw new MqttError('UNREACHABLE', this.#reason);
    throw new MqttError(OTHER_VERSION.has(refused) ? 'PROTOCOL_VERSION' : 'REFUSED', this.#reason);
  }

  #handle(packet: IPublishPacket, done: () => void): void {
    const source = this.#acknowledgements;
    const held = packet.qos === 0 || packet.messageId === undefined ? null : source.hold(packet.messageId);
    if (!source.open || (held === null && packet.qos !== 0)) return done();
    const { topic, properties } = packet;
    // mqtt.js types a payload as text or bytes; from the wire it is always bytes.
    const room = this.#take({
      topic,
      payload: packet.payload as Buffer,
      contentType: properties?.contentType,
      dup: packet.dup,
      source,
      held,
    });
    if (room === null) done();
    else void this.#goOnAt(room, done);
  }

  async #goOnAt(room: Promise<void>, done: () => void): Promise<void> {
    const client = this.#client;
    const alive = setInterval(
      () => {
        client.reschedulePing(true);
        client.sendPing();
      },
      Math.max(1, client.keepalive / 3) * 1_000,
    );
    // Not Promise.race: `closed` would remember every pause of a connection that lasts for months.
    await new Promise<void>((resolve) => {
      this.#endPause = resolve;
      void room.then(resolve);
    });
    clearInterval(alive);
    done();
  }
}

function clientOptions(options: MqttOptions, protocolVersion: ProtocolVersion) {
  const { clientId, sessionExpiry, receiveMaximum, keepalive = 30 } = options;
  return {
    protocolVersion,
    clientId,
    clean: false,
    keepalive,
    connectTimeout: CONNECT_TIMEOUT,
    reconnectPeriod: 0,
    resubscribe: false,
    ...(protocolVersion === 5 && { properties: { sessionExpiryInterval: sessionExpiry, receiveMaximum } }),
  };
}

function sharing(connack: IConnackPacket | null): boolean {
  // One byte on the wire; absent means available [MQTT 5, 3.2.2.3.13].
  const available: unknown = connack?.properties?.sharedSubscriptionAvailable;
  return available !== false && available !== 0;
}

function disconnectReason(code: number | undefined): string {
  if (code === 142) return 'another client took over the session: is one MQTT_CLIENT_ID used twice?';
  return `the broker disconnected with reason ${code ?? 0}`;
}
