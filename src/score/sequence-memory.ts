/** Numbers of 12 bits that share one of a car's remembered numbers: doubles hold 53 bits. */
const PER_NUMBER = 4;
const STEPS = 4_094;
/** Of 4,096 codes 0 says missing; the others are evenly spread from -limit to limit. */
const BASE = 4_096;

/** How many numbers a reading takes in a car's memory. */
export function packedLength(width: number): number {
  return Math.ceil(width / PER_NUMBER);
}

/**
 * Appends `width` normalised values, each kept to a 4,094th of the range, NaN where missing.
 * @param valueAt the value in a place
 */
export function pack(width: number, limit: number, valueAt: (place: number) => number, out: number[]): void {
  for (let start = 0; start < width; start += PER_NUMBER) {
    let packed = 0;
    for (let place = start; place < start + PER_NUMBER; place++)
      packed = packed * BASE + (place < width ? codeOf(valueAt(place), limit) : 0);
    out.push(packed);
  }
}

/** Writes what was packed to `out[offset ...]`, 0 where missing. */
export function unpack(
  packed: readonly number[],
  at: number,
  width: number,
  limit: number,
  out: Float32Array,
  offset: number,
): void {
  for (let start = 0; start < width; start += PER_NUMBER) {
    let rest = packed[at + start / PER_NUMBER] ?? 0;
    for (let place = start + PER_NUMBER - 1; place >= start; place--) {
      const code = rest % BASE;
      rest = (rest - code) / BASE;
      if (place < width) out[offset + place] = code === 0 ? 0 : ((code - 1) / STEPS) * 2 * limit - limit;
    }
  }
}

function codeOf(value: number, limit: number): number {
  if (Number.isNaN(value)) return 0;
  const cut = Math.max(-limit, Math.min(limit, value));
  return 1 + Math.round(((cut + limit) / (2 * limit)) * STEPS);
}
