import { deadLetter } from '../kafka/dead-letters.js';
import type { OutRecord } from '../kafka/out-record.js';
import { carIdOf } from '../telemetry/car-id.js';
import type { MqttMessage } from './mqtt-connection.js';

export interface BridgeTopics {
  readonly sensor: string;
  readonly deadLetters: string;
  /** The filter of the subscription. */
  readonly filter: string;
  /** Largest payload that goes into the sensor topic, bytes. */
  readonly maxBody: number;
}

type Sent = Pick<MqttMessage, 'topic' | 'payload' | 'contentType'>;

/**
 * The record for a message: the payload as it came, keyed by the car id, at the time when it was received (so that the
 * same message produced twice has the same time). What cannot go into the sensor topic becomes a dead letter.
 */
export function toRecord(message: Sent, receivedAt: number, topics: BridgeTopics): OutRecord {
  const { topic, payload } = message;
  const key = carOf(topic, topics);
  if (key === null)
    return letter(message, receivedAt, topics, 'NO_CAR_ID', `The topic ${topic} does not end in a car id`);
  if (payload.length > topics.maxBody)
    return letter(message, receivedAt, topics, 'TOO_LARGE', `${payload.length} bytes, of at most ${topics.maxBody}`);
  return { topic: topics.sensor, key, value: payload, headers: headersOf(message, receivedAt), timestamp: receivedAt };
}

/** `a/b/#` matches `a/b` too [MQTT-4.7.1], where `b` is no car. */
function carOf(topic: string, { filter }: BridgeTopics): string | null {
  return filter === `${topic}/#` ? null : carIdOf(topic);
}

function letter(message: Sent, receivedAt: number, topics: BridgeTopics, reason: string, detail: string): OutRecord {
  const { topic, payload } = message;
  const headers = headersOf(message, receivedAt);
  const original = { topic, partition: null, offset: null, key: carOf(topic, topics), value: payload, headers };
  return deadLetter(
    { original: { ...original, timestamp: receivedAt }, reason, detail, stage: 'bridge' },
    topics.deadLetters,
  );
}

/** The dead letter for a record that Kafka refused. */
export function refusedLetter(record: OutRecord, reason: string, topics: BridgeTopics): OutRecord {
  const timestamp = record.timestamp ?? 0;
  const topic = String(record.headers?.['mqtt-topic'] ?? record.topic);
  const original = { ...record, topic, partition: null, offset: null, timestamp };
  const detail = `Kafka refused the record: ${reason}`;
  return deadLetter({ original, reason: 'REFUSED', detail, stage: 'bridge' }, topics.deadLetters);
}

function headersOf({ topic, contentType }: Sent, receivedAt: number) {
  const headers = { 'mqtt-topic': topic, 'mqtt-received-at': String(receivedAt) };
  return contentType === undefined ? headers : { ...headers, 'content-type': contentType };
}
