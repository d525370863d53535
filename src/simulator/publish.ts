import type { CarMessage } from './fleet.js';
import { MqttSender } from './mqtt-sender.js';
import { hashOf } from './random.js';
import { monotonicClock, paced, type Pace } from './schedule.js';
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

export interface PublishOptions extends Pace {
  readonly url: string;
  readonly connections: number;
  /** A number per connection is added. Two at work under one id throw each other out. */
  readonly clientIdPrefix: string;
  readonly topicPrefix?: string;
  /** Called every second, and at the end. */
  readonly onProgress?: (progress: Progress) => void;
  /** Stops taking messages; those under way get two seconds to be acknowledged. */
  readonly signal?: AbortSignal;
  /** How long the first connection is tried, ms. Once it has worked, a lost one is tried for ever. */
  readonly patience?: number;
}

export const SENSOR_TOPIC_PREFIX = 'vehicles/sensor/data/';

/** Messages that may be unacknowledged on each connection. */
const WINDOW = 500;
const LAST_ACKNOWLEDGEMENTS = 2_000;

/**
 * Publishes the messages over MQTT at QoS 1, those of a car in order over one of the connections, and resolves when all are
 * acknowledged, or soon after the signal. A broker that goes away is waited for; then what it had not acknowledged is sent
 * again, in order, so that some may arrive twice.
 *
 * @throws PublishError no broker at the start; what the source throws
 */
export async function publishAll(
  source: Iterable<CarMessage> | AsyncIterable<CarMessage>,
  options: PublishOptions,
): Promise<Published> {
  let published = 0;
  const senders = Array.from(
    { length: options.connections },
    (_, i) =>
      new MqttSender({
        url: options.url,
        clientId: `${options.clientIdPrefix}-${i}`,
        window: WINDOW,
        onAcknowledged: () => published++,
      }),
  );
  const letGo = () => senders.forEach((sender) => sender.wake());
  options.signal?.addEventListener('abort', letGo);
  let start = performance.now();
  const soFar = (): Published => ({ published, seconds: (performance.now() - start) / 1_000 });
  const report = () => options.onProgress?.({ ...soFar(), trouble: troubleOf(senders) });
  const ticking = setInterval(report, 1_000);
  try {
    if (!options.signal?.aborted) await Promise.all(senders.map((sender) => sender.open(options.patience ?? 10_000)));
    start = performance.now();
    await sendAll(source, senders, options);
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

async function sendAll(
  source: Iterable<CarMessage> | AsyncIterable<CarMessage>,
  senders: readonly MqttSender[],
  options: PublishOptions,
): Promise<void> {
  const { signal, topicPrefix = SENSOR_TOPIC_PREFIX } = options;
  if (signal?.aborted) return;
  for await (const message of paced(source, options, monotonicClock(signal))) {
    if (signal?.aborted) return;
    const sender = senders[connectionOf(message.car, senders.length)] as MqttSender;
    await sender.room();
    if (signal?.aborted) return;
    sender.send(topicPrefix + message.car, encodeMessage(message));
  }
}

async function lastAcknowledgements(senders: readonly MqttSender[], signal: AbortSignal | undefined): Promise<void> {
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

function troubleOf(senders: readonly MqttSender[]): string | null {
  return senders.find(({ trouble }) => trouble !== null)?.trouble ?? null;
}
