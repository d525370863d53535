/** The bytes are no value of the schema that they are read with. */
export class MalformedAvro extends Error {
  override readonly name = 'MalformedAvro';
}

/** Avro's encoding never needs more for 64 bits. */
const LONGEST_VARINT = 10;
/** A record in a record in a record: only hostile bytes of a recursive schema go on like this. */
const MAX_DEPTH = 16;

/**
 * Reads Avro's binary encoding off a buffer and believes no length in it: nothing is read, allocated or repeated beyond
 * what the buffer holds. (avsc's own reader trusts lengths: a count of 2^50 in four bytes keeps it busy for ever.)
 */
export class AvroCursor {
  readonly #bytes: Buffer;
  #place: number;
  #items: number;
  #depth = 0;

  constructor(bytes: Buffer, start: number) {
    this.#bytes = bytes;
    this.#place = start;
    this.#items = bytes.length;
  }

  get left(): number {
    return this.#bytes.length - this.#place;
  }

  boolean(): boolean {
    const byte = this.#bytes[this.skip(1)];
    if (byte === undefined || byte > 1) throw new MalformedAvro('a boolean that is neither 0 nor 1');
    return byte === 1;
  }

  /** A zigzag varint; exact up to 2^53, the nearest double beyond. */
  long(): number {
    const first = this.#bytes[this.#place] ?? 0x80;
    if (first < 0x80) {
      this.#place += 1;
      return (first >>> 1) ^ -(first & 1);
    }
    const raw = this.#varint();
    return raw % 2 === 0 ? raw / 2 : -(raw - 1) / 2 - 1;
  }

  int(): number {
    const value = this.long();
    if (value !== (value | 0)) throw new MalformedAvro('an int beyond 32 bits');
    return value;
  }

  float(): number {
    return this.#bytes.readFloatLE(this.skip(4));
  }

  double(): number {
    return this.#bytes.readDoubleLE(this.skip(8));
  }

  /** Steps over as many bytes as the length before them says; the text of short ones, null for long ones. */
  text(longest: number): string | null {
    const length = this.long();
    const start = this.skip(length);
    return length > longest ? null : this.#bytes.toString('utf8', start, start + length);
  }

  /** Steps over `length` bytes and returns where they begin. */
  skip(length: number): number {
    if (length < 0 || length > this.left) throw new MalformedAvro(`${length} bytes announced, ${this.left} left`);
    const start = this.#place;
    this.#place += length;
    return start;
  }

  /** Reads the blocks of an array or a map, calling `item` for each entry. */
  blocks(item: () => void): void {
    for (let count = this.long(); count !== 0; count = this.long()) {
      // A negative count comes with the size of the block, which only a reader that skips blocks needs.
      if (count < 0 && this.long() < 0) throw new MalformedAvro('a block of negative size');
      const items = Math.abs(count);
      // Entries may be empty (null), so the bytes alone do not bound how many there are.
      if (items > this.#items) throw new MalformedAvro(`${items} entries announced in too few bytes`);
      this.#items -= items;
      for (let done = 0; done < items; done += 1) item();
    }
  }

  /** Runs `read` one level deeper. */
  within<T>(read: () => T): T {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new MalformedAvro(`nested deeper than ${MAX_DEPTH}`);
    const value = read();
    this.#depth -= 1;
    return value;
  }

  #varint(): number {
    let value = 0;
    let unit = 1;
    for (let read = 0; read < LONGEST_VARINT; read += 1) {
      const byte = this.#bytes[this.skip(1)] ?? 0;
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) return value;
      unit *= 128;
    }
    throw new MalformedAvro('a number of more than 64 bits');
  }
}
