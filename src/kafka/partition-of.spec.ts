import { assert, integer, property, uint8Array } from 'fast-check';
import { Partitioners } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { murmur2, partitionOf } from './partition-of.js';

describe('partitionOf', () => {
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('hashes %s as the Java client does', (key, hash) => {
    expect(murmur2(Buffer.from(key))).toBe(hash);
  });

  it('chooses what kafkajs chooses, for any bytes', () => {
    const partitioner = Partitioners.DefaultPartitioner();
    const sameAsKafkajs = property(uint8Array({ maxLength: 70 }), integer({ min: 1, max: 100 }), (bytes, count) => {
      const key = Buffer.from(bytes);
      const partitionMetadata = Array.from({ length: count }, (_, partitionId) => metadata(partitionId));
      expect(partitionOf(key, count)).toBe(
        partitioner({ topic: 't', partitionMetadata, message: { key, value: null } }),
      );
    });
    assert(sameAsKafkajs, { seed: 7 });
  });
});

function metadata(partitionId: number) {
  return { partitionErrorCode: 0, partitionId, leader: 1, replicas: [1], isr: [1] };
}
