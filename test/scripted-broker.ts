import { once, EventEmitter } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

const CONNECT = 1;
const PUBACK = 4;
const SUBSCRIBE = 8;
const UNSUBSCRIBE = 10;
const PINGREQ = 12;

/** Reason codes of MQTT 5. */
export interface Answers {
  readonly connack?: number;
  /** For the first subscription; those after it get QoS 1. */
  readonly suback?: number;
  /** What it says in `$SYS/broker/version`; when not given, it does not let anybody read that. */
  readonly version?: () => string;
  /** Closes the connection in place of saying that. */
  readonly cutAtVersion?: boolean;
}

export interface ScriptedBroker {
  readonly port: number;
  /** The next client's connection, once it is subscribed to more than the broker's version. */
  next(): Promise<BrokerConnection>;
  /** The next TCP connection. */
  arrival(): Promise<void>;
  close(): Promise<void>;
}

const VERSION_TOPIC = '$SYS/broker/version';
const NOT_AUTHORIZED = 0x87;

/**
 * An MQTT 5 broker that does only what a test tells it: it accepts, grants every subscription, answers pings, and leaves
 * publishing to the test.
 */
export async function startScriptedBroker(answers: Answers = {}): Promise<ScriptedBroker> {
  const arrivals = new EventEmitter();
  const connections: BrokerConnection[] = [];
  let { suback } = answers;
  const server = createServer((socket) => {
    const connection = new BrokerConnection(socket, { ...answers, ...(suback !== undefined && { suback }) });
    connection.events.once('subscribed', () => (suback = 1));
    arrivals.emit('arrival');
    connections.push(connection);
    connection.events.once('subscribed', () => arrivals.emit('subscribed', connection));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    next: async () => ((await once(arrivals, 'subscribed')) as [BrokerConnection])[0],
    arrival: async () => {
      await once(arrivals, 'arrival');
    },
    close: async () => {
      for (const connection of connections) connection.cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export class BrokerConnection {
  /** `subscribed`, `unsubscribed`, `puback` and `ping`. */
  readonly events = new EventEmitter();
  /** `+filter` and `-filter`, in the order in which they came. */
  readonly subscriptions: string[] = [];
  /** Packet ids in the order of their PUBACKs. */
  readonly pubacks: number[] = [];
  readonly #socket: Socket;
  readonly #answers: Answers;
  #suback: number;
  #received = Buffer.alloc(0);

  constructor(socket: Socket, answers: Answers) {
    this.#socket = socket;
    this.#answers = answers;
    this.#suback = answers.suback ?? 1;
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      this.#parse();
    });
  }

  publish(packetId: number, topic: string, payload: string): void {
    const name = Buffer.from(topic);
    const id = Buffer.from([packetId >> 8, packetId & 255, 0]);
    this.#send(
      0x32,
      Buffer.concat([Buffer.from([name.length >> 8, name.length & 255]), name, id, Buffer.from(payload)]),
    );
  }

  /** Resolves with the PINGREQ that shows that everything before it was read and answered. */
  async ping(): Promise<void> {
    await once(this.events, 'ping');
  }

  async puback(): Promise<void> {
    await once(this.events, 'puback');
  }

  cut(): void {
    this.#socket.destroy();
  }

  #send(header: number, body: Buffer): void {
    this.#socket.write(Buffer.concat([Buffer.from([header, body.length]), body]));
  }

  /** Bodies here are shorter than 128 bytes, so the length is one byte. */
  #parse(): void {
    for (let packet = this.#next(); packet !== null; packet = this.#next()) {
      const [type, body] = packet;
      if (type === CONNECT) this.#send(0x20, Buffer.from([0, this.#answers.connack ?? 0, 0]));
      if (type === SUBSCRIBE) this.#grant(body);
      if (type === UNSUBSCRIBE) this.#release(body);
      if (type === PUBACK) {
        this.pubacks.push(body.readUInt16BE());
        this.events.emit('puback');
      }
      if (type === PINGREQ) {
        this.#send(0xd0, Buffer.alloc(0));
        this.events.emit('ping');
      }
    }
  }

  #grant(body: Buffer): void {
    const filter = filterOf(body);
    this.subscriptions.push(`+${filter}`);
    if (filter === VERSION_TOPIC) return this.#tellVersion(body);
    this.#send(0x90, Buffer.from([...body.subarray(0, 2), 0, this.#suback]));
    this.#suback = 1;
    this.events.emit('subscribed');
  }

  #tellVersion(body: Buffer): void {
    const { version, cutAtVersion } = this.#answers;
    if (cutAtVersion) return this.cut();
    this.#send(0x90, Buffer.from([...body.subarray(0, 2), 0, version ? 1 : NOT_AUTHORIZED]));
    if (version) this.publish(1, VERSION_TOPIC, version());
  }

  #release(body: Buffer): void {
    this.subscriptions.push(`-${filterOf(body)}`);
    this.#send(0xb0, Buffer.from([...body.subarray(0, 2), 0, 0]));
    this.events.emit('unsubscribed');
  }

  #next(): [type: number, body: Buffer] | null {
    const length = this.#received[1];
    if (length === undefined || this.#received.length < 2 + length) return null;
    const type = (this.#received[0] as number) >> 4;
    const body = this.#received.subarray(2, 2 + length);
    this.#received = this.#received.subarray(2 + length);
    return [type, body];
  }
}

/** The first topic filter of a SUBSCRIBE or UNSUBSCRIBE without properties. */
function filterOf(body: Buffer): string {
  return body.subarray(5, 5 + body.readUInt16BE(3)).toString();
}
