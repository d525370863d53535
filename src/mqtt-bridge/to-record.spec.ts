import { describe, expect, it } from 'vitest';
import { refusedLetter, toRecord } from './to-record.js';

const topics = { filter: 'vehicles/sensor/data/#', sensor: 'sensor-data', deadLetters: 'dlq', maxBody: 10 };
const at = 1_700_000_000_000;
const sent = (topic: string, text: string, contentType?: string) => ({
  topic,
  payload: Buffer.from(text),
  contentType,
});

describe('toRecord', () => {
  it('keys the bytes as they are by the last part of the topic', () => {
    const message = sent('vehicles/sensor/data/car7', '{}');
    const record = toRecord(message, at, topics);
    expect(record).toEqual({
      topic: 'sensor-data',
      key: 'car7',
      value: Buffer.from('{}'),
      headers: { 'mqtt-topic': 'vehicles/sensor/data/car7', 'mqtt-received-at': '1700000000000' },
      timestamp: at,
    });
    expect(record.value).toBe(message.payload);
  });

  it('passes the content type on', () => {
    const record = toRecord(sent('vehicles/sensor/data/car7', 'x', 'avro/binary'), at, topics);
    expect(record.headers).toHaveProperty('content-type', 'avro/binary');
  });

  it.each(['vehicles/sensor/data', 'vehicles/sensor/data/', 'vehicles/sensor/data/car 7'])(
    'has no car in %s',
    (topic) => {
      const record = toRecord(sent(topic, 'x'), at, topics);
      expect(record).toMatchObject({ topic: 'dlq', key: null, value: Buffer.from('x') });
      expect(record.headers).toMatchObject({ 'dlq-reason': 'NO_CAR_ID', 'dlq-topic': topic, 'mqtt-topic': topic });
    },
  );

  it('buries what is too large, under one id however often it comes', () => {
    const [one, again] = [at, at + 1].map((time) =>
      toRecord(sent('vehicles/sensor/data/car7', '12345678901'), time, topics),
    );
    expect(one).toMatchObject({ topic: 'dlq', key: 'car7' });
    expect(one?.headers).toMatchObject({ 'dlq-reason': 'TOO_LARGE', 'dlq-detail': '11 bytes, of at most 10' });
    expect(again?.headers?.['dlq-id']).toBe(one?.headers?.['dlq-id']);
  });

  it('buries what Kafka refuses with its own headers', () => {
    const record = toRecord(sent('vehicles/sensor/data/car7', 'x'), at, topics);
    const letter = refusedLetter(record, 'INVALID_RECORD', topics);
    expect(letter).toMatchObject({ topic: 'dlq', key: 'car7', value: Buffer.from('x') });
    expect(letter.headers).toMatchObject({ ...record.headers, 'dlq-reason': 'REFUSED', 'dlq-timestamp': String(at) });
  });
});
