import { once, EventEmitter } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

const CONNECT = 1;
const PUBACK = 4;
const SUBSCRIBE = 8;
const PINGREQ = 12;

/** Reason codes of MQTT 5. */
export interface Answers {
  readonly connack?: number;
  /** For the first subscription; those after it get QoS 1. */
  readonly suback?: number;
}

export interface ScriptedBroker {
  readonly port: number;
  /** The next client's connection, once it is subscribed. */
  next(): Promise<BrokerConnection>;
  /** The next TCP connection. */
  arrival(): Promise<void>;
  close(): Promise<void>;
}

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
  /** `subscribed`, `puback` and `ping`. */
  readonly events = new EventEmitter();
  /** Packet ids in the order of their PUBACKs. */
  readonly pubacks: number[] = [];
  readonly #socket: Socket;
  readonly #connack: number;
  #suback: number;
  #received = Buffer.alloc(0);

  constructor(socket: Socket, { connack = 0, suback = 1 }: Answers) {
    this.#socket = socket;
    this.#connack = connack;
    this.#suback = suback;
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
      if (type === CONNECT) this.#send(0x20, Buffer.from([0, this.#connack, 0]));
      if (type === SUBSCRIBE) {
        this.#send(0x90, Buffer.from([body[0] as number, body[1] as number, 0, this.#suback]));
        this.#suback = 1;
        this.events.emit('subscribed');
      }
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

  #next(): [type: number, body: Buffer] | null {
    const length = this.#received[1];
    if (length === undefined || this.#received.length < 2 + length) return null;
    const type = (this.#received[0] as number) >> 4;
    const body = this.#received.subarray(2, 2 + length);
    this.#received = this.#received.subarray(2 + length);
    return [type, body];
  }
}
