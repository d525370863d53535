import { connect, type MqttClient } from 'mqtt';
import type { CarMessage } from './fleet.js';
import { hashOf } from './random.js';

export interface ListenOptions {
  readonly url: string;
  readonly clientId: string;
  /** Commands come on this, a slash and the car; answers go out with `/answer` behind it. */
  readonly topic: string;
  /** Whether the car is one of these. */
  readonly isOurs: (car: string) => boolean;
  /** Share of the cars that reject every command. */
  readonly rejecting: number;
  readonly now?: () => number;
}

type Answer = { readonly status: 'ACCEPTED' } | { readonly status: 'REJECTED'; readonly reason: string };

interface Command {
  readonly id: string;
  readonly values: Readonly<Record<string, unknown>>;
  /** ms */
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** The newest command that a car accepted. */
interface Followed {
  readonly id: string;
  readonly issuedAt: number;
  readonly firmware: number | null;
}

export const COMMAND_TOPIC = 'vehicles/commands';

const LARGEST = 65_536;
const RECONNECT = 1_000;
const END_TIMEOUT = 2_000;
/** Hundredths of a per cent. */
const SHARES = 10_000;

/** Whether a car is one of `count` simulated ones, the first of them `car<first>`. */
export function isSimulated(first: number, count: number): (car: string) => boolean {
  return (car) => {
    const number = Number(/^car([1-9]\d{0,14})$/.exec(car)?.[1] ?? Number.NaN);
    return number >= first && number < first + count;
  };
}

/**
 * Cars that hear: one connection and one subscription for all of them, beside those that send. Each command is answered; of
 * what is accepted a firmware shows in what the car reports.
 */
export class CommandListener {
  readonly counts = { accepted: 0, rejected: 0 };
  readonly #options: ListenOptions;
  readonly #client: MqttClient;
  readonly #followed = new Map<string, Followed>();

  constructor(options: ListenOptions) {
    this.#options = options;
    const { url, clientId } = options;
    const client = connect(url, { clientId, protocolVersion: 4, clean: true, reconnectPeriod: RECONNECT });
    this.#client = client;
    client.on('message', (topic, payload) => this.#hear(topic, payload));
    // A broker that is away is told by the connections that send.
    client.on('error', () => undefined);
    client.subscribe(`${options.topic}/+`, { qos: 1 });
  }

  /** The message as a car sends it that follows what it accepted. */
  obeyed(message: CarMessage): CarMessage {
    const firmware = this.#followed.size === 0 ? null : (this.#followed.get(message.car)?.firmware ?? null);
    if (firmware === null) return message;
    const failures = message.failures.filter((name) => name !== 'firmware');
    const signals = { ...message.signals, controlUnitFirmware: firmware };
    return { ...message, signals, failures, label: message.label === null ? null : failures.length > 0 };
  }

  *obeying(source: Iterable<CarMessage>): Generator<CarMessage> {
    for (const message of source) yield this.obeyed(message);
  }

  async end(): Promise<void> {
    const late = setTimeout(() => this.#client.stream.destroy(), END_TIMEOUT);
    await this.#client.endAsync(true);
    clearTimeout(late);
  }

  #hear(topic: string, payload: Buffer): void {
    const car = topic.slice(this.#options.topic.length + 1);
    const command = this.#options.isOurs(car) ? commandIn(payload, car) : null;
    if (!command) return;
    const answer = this.#answerOf(car, command);
    this.counts[answer.status === 'ACCEPTED' ? 'accepted' : 'rejected'] += 1;
    this.#client.publish(`${topic}/answer`, JSON.stringify({ id: command.id, ...answer }), { qos: 1 });
  }

  #answerOf(car: string, { id, values, issuedAt, expiresAt }: Command): Answer {
    const { rejecting, now = Date.now } = this.#options;
    const followed = this.#followed.get(car);
    if (followed?.id === id) return { status: 'ACCEPTED' };
    if (followed && issuedAt <= followed.issuedAt) return { status: 'REJECTED', reason: 'a newer command is followed' };
    if (expiresAt <= now()) return { status: 'REJECTED', reason: 'expired' };
    if (hashOf(`${car} rejects`) % SHARES < rejecting * SHARES) return { status: 'REJECTED', reason: 'not now' };
    const { controlUnitFirmware: firmware = null } = values;
    if (firmware !== null && !Number.isFinite(firmware)) return { status: 'REJECTED', reason: 'no such firmware' };
    // What is no longer desired stays as it is.
    this.#followed.set(car, { id, issuedAt, firmware: (firmware as number | null) ?? followed?.firmware ?? null });
    return { status: 'ACCEPTED' };
  }
}

/** null for anything that is no command for this car. */
function commandIn(payload: Buffer, car: string): Command | null {
  if (payload.length > LARGEST) return null;
  const said = parsed(payload);
  if (typeof said !== 'object' || said === null) return null;
  const { id, values, issuedAt, expiresAt } = said as Readonly<Record<string, unknown>>;
  if (typeof id !== 'string' || !id.startsWith(`${car}/`)) return null;
  if (typeof values !== 'object' || values === null || typeof issuedAt !== 'string' || typeof expiresAt !== 'string')
    return null;
  const times = { issuedAt: Date.parse(issuedAt), expiresAt: Date.parse(expiresAt) };
  if (Number.isNaN(times.issuedAt) || Number.isNaN(times.expiresAt)) return null;
  return { id, values: values as Command['values'], ...times };
}

function parsed(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString());
  } catch {
    return null;
  }
}
