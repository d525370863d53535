import { createHash } from 'node:crypto';
import { SIGNAL_NAMES, type Signals } from './signals.js';

/** 18 float64 and, behind them, a bit for each that is null. */
const BYTES = SIGNAL_NAMES.length * 8 + 4;

/**
 * A 52-bit integer by which equal readings are recognised and two readings of one instant are ordered: the first 52 bits
 * of the SHA-256 of the 18 values as big-endian float64 in the order of SIGNAL_NAMES (0 for null), followed by a
 * big-endian uint32 whose bit i says that value i is null. Part of the stored format: it must never change.
 */
export function hashSignals(signals: Signals): number {
  const bytes = Buffer.alloc(BYTES);
  let nulls = 0;
  SIGNAL_NAMES.forEach((name, index) => {
    const value = signals[name];
    if (value === null) nulls |= 1 << index;
    // Adding 0 turns -0, which equals 0 everywhere else, into 0.
    else bytes.writeDoubleBE(value + 0, index * 8);
  });
  bytes.writeUInt32BE(nulls >>> 0, SIGNAL_NAMES.length * 8);
  const digest = createHash('sha256').update(bytes).digest();
  return digest.readUIntBE(0, 6) * 16 + ((digest[6] ?? 0) >>> 4);
}
