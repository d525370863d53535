const SEED = 0x9747b28c | 0;
const M = 0x5bd1e995;
const R = 24;

/**
 * The partition that Kafka's own clients (Java, librdkafka with `murmur2_random`, kafkajs) choose for a key, so that every
 * producer sends one car to one partition.
 */
export function partitionOf(key: Buffer | string, partitionCount: number): number {
  return (murmur2(typeof key === 'string' ? Buffer.from(key) : key) & 0x7fffffff) % partitionCount;
}

/** `org.apache.kafka.common.utils.Utils.murmur2`: a signed 32-bit hash. */
export function murmur2(data: Buffer): number {
  const whole = data.length & ~3;
  let hash = SEED ^ data.length;
  for (let at = 0; at < whole; at += 4) {
    let word = Math.imul(data.readInt32LE(at), M);
    word = Math.imul(word ^ (word >>> R), M);
    hash = Math.imul(hash, M) ^ word;
  }
  if (whole < data.length) {
    for (let at = data.length - 1; at >= whole; at -= 1) hash ^= (data[at] as number) << ((at - whole) * 8);
    hash = Math.imul(hash, M);
  }
  hash = Math.imul(hash ^ (hash >>> 13), M);
  return hash ^ (hash >>> 15);
}
