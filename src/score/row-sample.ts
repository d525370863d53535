import { createHash } from 'node:crypto';
import { FEATURE_COUNT } from './features.js';

/** Rows of numbers, NaN where missing. */
export interface Rows {
  readonly count: number;
  /** Replaced by an empty array where they are not needed any more: they are most of what training holds. */
  values: Float64Array;
}

/** arrival: as they came; drawn: by their lots, the same however the cars are interleaved. */
export type RowOrder = 'arrival' | 'drawn';

const FIRST_ROOM = 1_024;

/**
 * At most `capacity` rows of however many: those with the lowest lots. A lot is made of the car and of which of its
 * readings it is, so that the same readings leave the same rows, whichever way the cars are interleaved.
 */
export class RowSample {
  readonly #capacity: number;
  /** Slots, the one with the highest lot first: a heap. */
  readonly #heap: Uint32Array;
  readonly #lots: Float64Array;
  readonly #arrivals: Float64Array;
  #values: Float64Array;
  #offered = 0;
  count = 0;

  /** @param width numbers a row */
  constructor(
    capacity: number,
    private readonly width = FEATURE_COUNT,
  ) {
    this.#capacity = capacity;
    this.#heap = new Uint32Array(capacity);
    this.#lots = new Float64Array(capacity);
    this.#arrivals = new Float64Array(capacity);
    this.#values = new Float64Array(Math.min(FIRST_ROOM, capacity) * width);
  }

  /** @param lot 0 to 1 */
  offer(row: Float64Array, lot: number): void {
    this.#offered++;
    if (this.count < this.#capacity) {
      this.#put(row, lot, this.count);
      this.#heap[this.count] = this.count;
      this.#rise(this.count++);
    } else if (lot < this.#lotAt(0)) {
      this.#put(row, lot, this.#heap[0] ?? 0);
      this.#sink();
    }
  }

  /** Hands the rows out, and is empty: they are not held twice. */
  taken(order: RowOrder): Rows {
    const keys = order === 'arrival' ? this.#arrivals : this.#lots;
    const slots = this.#heap.slice(0, this.count).sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0));
    const count = this.count;
    const { width } = this;
    const values = new Float64Array(count * width);
    slots.forEach((slot, place) => {
      const start = slot * width;
      values.set(this.#values.subarray(start, start + width), place * width);
    });
    this.#values = new Float64Array(0);
    this.count = 0;
    return { count, values };
  }

  #put(row: Float64Array, lot: number, slot: number): void {
    const { width } = this;
    const start = slot * width;
    if (start >= this.#values.length) {
      const larger = new Float64Array(
        Math.min(Math.max(FIRST_ROOM * width, this.#values.length * 2), this.#capacity * width),
      );
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values.set(row, start);
    this.#lots[slot] = lot;
    this.#arrivals[slot] = this.#offered;
  }

  #lotAt(place: number): number {
    return this.#lots[this.#heap[place] ?? 0] ?? 0;
  }

  #rise(from: number): void {
    for (let place = from; place > 0; ) {
      const parent = (place - 1) >> 1;
      if (this.#lotAt(parent) >= this.#lotAt(place)) return;
      this.#swap(parent, place);
      place = parent;
    }
  }

  #sink(): void {
    for (let place = 0; ; ) {
      let child = 2 * place + 1;
      if (child >= this.count) return;
      if (child + 1 < this.count && this.#lotAt(child + 1) > this.#lotAt(child)) child++;
      if (this.#lotAt(child) <= this.#lotAt(place)) return;
      this.#swap(child, place);
      place = child;
    }
  }

  #swap(a: number, b: number): void {
    const slot = this.#heap[a] ?? 0;
    this.#heap[a] = this.#heap[b] ?? 0;
    this.#heap[b] = slot;
  }
}

/** The lots of a car's readings, in their order: evenly spread in 0 to 1, always the same for the same car. */
export class Lots {
  readonly #first: number;
  readonly #second: number;
  #readings = 0;

  constructor(car: string) {
    const digest = createHash('sha256').update(`lots of ${car}`).digest();
    this.#first = digest.readUInt32BE(0);
    this.#second = digest.readUInt32BE(4);
  }

  next(): number {
    const reading = this.#readings++;
    const high = mixed(this.#first ^ mixed(reading));
    const low = mixed(this.#second ^ mixed(reading + 0x9e3779b9));
    return (high + low / 2 ** 32) / 2 ** 32;
  }
}

/** The last step of MurmurHash3: every bit depends on every bit. */
function mixed(number: number): number {
  let bits = number >>> 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
