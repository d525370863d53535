import type { CarMessage } from './fleet.js';
import { KafkaSender } from './kafka-sender.js';
import { MqttSender } from './mqtt-sender.js';
import { hashOf } from './random.js';
import { monotonicClock, paced, type Pace } from './schedule.js';
import type { Sender } from './sender.js';
import { encodeMessage } from './wire.js';

export interface Published {
  /** Messages that the broker has acknowledged, each counted once. */
  readonly published: number;
  /** From the first connection on. */
  readonly seconds: number;
}

export interface Progress extends Published {
  /** Why a connection to the broker is missing at the moment; it is being tried again. */
  readonly trouble: string | null;
}

/** How, wherever to. */
export interface SendOptions extends Pace {
  /** Called every second, and at the end. */
  readonly onProgress?: (progress: Progress) => void;
  /** Stops taking messages; those under way get two seconds to be acknowledged. */
  readonly signal?: AbortSignal;
  /** How long the first connection is tried, ms. Once it has worked, a lost one is tried for ever. */
  readonly patience?: number;
}

export interface PublishOptions extends SendOptions {
  readonly url: string;
  readonly connections: number;
  /** A number per connection is added. Two at work under one id throw each other out. */
  readonly clientIdPrefix: string;
  /** Every one of these cars has a connection of its own, its id the client id; then `connections` says nothing. */
  readonly clientPerCar?: readonly string[];
  readonly topicPrefix?: string;
}

export interface ProduceOptions extends SendOptions {
  /** host:port of the bootstrap brokers */
  readonly brokers: readonly string[];
  /** Created with ten partitions when it is not there. */
  readonly topic: string;
  readonly clientId: string;
}

export const SENSOR_TOPIC_PREFIX = 'vehicles/sensor/data/';

/** Messages that may be unacknowledged on each MQTT connection. */
const MQTT_WINDOW = 500;
/** Messages that may be unacknowledged in Kafka: several full requests, so that none waits for another message. */
const KAFKA_WINDOW = 10_000;
/** Connections that are opened at a time: a broker takes no more than so many that it has not accepted yet. */
const OPENING = 64;
const LAST_ACKNOWLEDGEMENTS = 2_000;

type Source = Iterable<CarMessage> | AsyncIterable<CarMessage>;

/**
 * Publishes the messages over MQTT at QoS 1, those of a car in order over one of the connections, and resolves when all are
 * acknowledged, or soon after the signal. A broker that goes away is waited for; then what it had not acknowledged is sent
 * again, in order, so that some may arrive twice.
 *
 * @throws PublishError no broker at the start; what the source throws
 */
export function publishAll(source: Source, options: PublishOptions): Promise<Published> {
  const { url, connections, clientIdPrefix, clientPerCar, topicPrefix = SENSOR_TOPIC_PREFIX } = options;
  const clients = clientPerCar ?? Array.from({ length: connections }, (_, i) => `${clientIdPrefix}-${i}`);
  const placeOf = clientPerCar && new Map(clientPerCar.map((car, place) => [car, place]));
  const sendersFor = (onAcknowledged: (count: number) => void) =>
    clients.map((clientId) => {
      const acknowledged = () => onAcknowledged(1);
      return new MqttSender({ url, clientId, topicPrefix, window: MQTT_WINDOW, onAcknowledged: acknowledged });
    });
  return sendThrough(source, options, sendersFor, (car) => placeOf?.get(car) ?? connectionOf(car, clients.length));
}

/**
 * The same for a Kafka topic: the payload that a car would send over MQTT, key = car id, acks=all. A Kafka that goes away is
 * waited for, and gets again what it did not acknowledge.
 *
 * @throws PublishError no Kafka at the start, or messages that it will never take; what the source throws
 */
export function produceAll(source: Source, options: ProduceOptions): Promise<Published> {
  const { brokers, topic, clientId } = options;
  const sendersFor = (onAcknowledged: (count: number) => void) => [
    new KafkaSender({ brokers, topic, clientId, window: KAFKA_WINDOW, onAcknowledged }),
  ];
  return sendThrough(source, options, sendersFor, () => 0);
}

async function sendThrough(
  source: Source,
  options: SendOptions,
  sendersFor: (onAcknowledged: (count: number) => void) => readonly Sender[],
  placeOf: (car: string) => number,
): Promise<Published> {
  let published = 0;
  const senders = sendersFor((count) => (published += count));
  const letGo = () => senders.forEach((sender) => sender.wake());
  options.signal?.addEventListener('abort', letGo);
  let start = performance.now();
  const soFar = (): Published => ({ published, seconds: (performance.now() - start) / 1_000 });
  const report = () => options.onProgress?.({ ...soFar(), trouble: troubleOf(senders) });
  const ticking = setInterval(report, 1_000);
  try {
    await openAll(senders, options);
    start = performance.now();
    await sendAll(source, senders, placeOf, options);
    options.signal?.removeEventListener('abort', letGo);
    await lastAcknowledgements(senders, options.signal);
    const result = soFar();
    report();
    return result;
  } finally {
    clearInterval(ticking);
    options.signal?.removeEventListener('abort', letGo);
    await Promise.all(senders.map((sender) => sender.end()));
  }
}

async function openAll(senders: readonly Sender[], { patience = 10_000, signal }: SendOptions): Promise<void> {
  const waiting = senders.toReversed();
  const openSome = async () => {
    try {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        if (signal?.aborted) return;
        await next.open(patience);
      }
    } finally {
      // Where one cannot be opened the others need not be.
      waiting.length = 0;
    }
  };
  await Promise.all(Array.from({ length: OPENING }, openSome));
}

async function sendAll(
  source: Source,
  senders: readonly Sender[],
  placeOf: (car: string) => number,
  options: SendOptions,
): Promise<void> {
  const { signal } = options;
  if (signal?.aborted) return;
  for await (const message of paced(source, options, monotonicClock(signal))) {
    if (signal?.aborted) return;
    const sender = senders[placeOf(message.car)] as Sender;
    const room = sender.room();
    if (room !== null) await room;
    if (signal?.aborted) return;
    sender.send(message.car, encodeMessage(message));
  }
}

async function lastAcknowledgements(senders: readonly Sender[], signal: AbortSignal | undefined): Promise<void> {
  const letGo = () => senders.forEach((sender) => sender.wake());
  let late: NodeJS.Timeout | undefined;
  const limit = () => (late = setTimeout(letGo, LAST_ACKNOWLEDGEMENTS));
  if (signal?.aborted) limit();
  else signal?.addEventListener('abort', limit, { once: true });
  await Promise.all(senders.map((sender) => sender.drained()));
  signal?.removeEventListener('abort', limit);
  clearTimeout(late);
}

/** The same one for a car at all times, or its messages could overtake each other. */
function connectionOf(car: string, connections: number): number {
  return hashOf(car) % connections;
}

function troubleOf(senders: readonly Sender[]): string | null {
  return senders.find(({ trouble }) => trouble !== null)?.trouble ?? null;
}
