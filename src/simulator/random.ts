/** Spreads every bit of a 32-bit integer over all of them (the finaliser of MurmurHash3). */
function mixed(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** A number of 32 bits for a text, such as a car id: the same text, the same number. */
export function hashOf(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash >>> 0;
}

/**
 * A seeded source of random numbers (sfc32), the same on every machine. Each (seed, number, purpose) is a stream of its
 * own, so a car does the same whatever fleet it drives in, and a drawn fault does not change how it drives.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number, number = 0, purpose = 0) {
    // The upper half of a seed above 2^32 counts too.
    this.#a = mixed(seed ^ mixed(Math.floor(seed / 2 ** 32)));
    this.#b = mixed(number + 0x9e3779b9) ^ this.#a;
    this.#c = mixed(purpose + 0x85ebca77) ^ this.#b;
    for (let i = 0; i < 12; i++) this.next();
  }

  /** U(0,1): 0 included, 1 not; 32 bits of it. */
  next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  }

  /** U(low,high) */
  between(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** An integer, both ends included. */
  integer(low: number, high: number): number {
    return low + Math.floor((high - low + 1) * this.next());
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }
}
