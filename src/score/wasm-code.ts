/**
 * Just enough of an assembler for WebAssembly 2.0 (vector instructions included): what one function over one memory needs.
 * The numbers are those of the specification's binary format (sections 5.3 to 5.5).
 */
export class WasmCode {
  readonly #bytes: number[] = [];

  get bytes(): readonly number[] {
    return this.#bytes;
  }

  getLocal(local: number): this {
    return this.#op(0x20, unsigned(local));
  }

  setLocal(local: number): this {
    return this.#op(0x21, unsigned(local));
  }

  int(value: number): this {
    return this.#op(0x41, signed(value));
  }

  addInt(): this {
    return this.#op(0x6a);
  }

  subtractInt(): this {
    return this.#op(0x6b);
  }

  /** Does `body` again as long as it leaves a number other than 0 behind. */
  repeatWhile(body: () => void): this {
    this.#op(0x03, [EMPTY]);
    body();
    return this.#op(0x0d, [0]).#op(0x0b);
  }

  differs(): this {
    return this.#op(0x47);
  }

  /** The four numbers at the address on the stack plus `offset`, which must be a multiple of 16. */
  loadVector(offset: number): this {
    return this.#vector(0, [4, ...unsigned(offset)]);
  }

  /** The number at the address on the stack plus `offset`, four times. */
  loadSpread(offset: number): this {
    return this.#vector(9, [2, ...unsigned(offset)]);
  }

  storeVector(offset: number): this {
    return this.#vector(11, [4, ...unsigned(offset)]);
  }

  add(): this {
    return this.#vector(0xe4);
  }

  multiply(): this {
    return this.#vector(0xe6);
  }

  divide(): this {
    return this.#vector(0xe7);
  }

  /** The lower one; the first where one of them is NaN. */
  lower(): this {
    return this.#vector(0xea);
  }

  /** The higher one; the first where one of them is NaN. */
  higher(): this {
    return this.#vector(0xeb);
  }

  #vector(opcode: number, more: readonly number[] = []): this {
    return this.#op(0xfd, [...unsigned(opcode), ...more]);
  }

  #op(opcode: number, more: readonly number[] = []): this {
    this.#bytes.push(opcode, ...more);
    return this;
  }
}

export interface WasmFunction {
  /** Pages of 64 KiB */
  readonly pages: number;
  /** Locals behind the first one, which is the argument. */
  readonly ints: number;
  readonly vectors: number;
  readonly code: WasmCode;
}

const MAGIC = [0x00, 0x61, 0x73, 0x6d];
const VERSION = [1, 0, 0, 0];
const EMPTY = 0x40;
const [INT, VECTOR] = [0x7f, 0x7b];

/** A module that exports its memory as `memory` and one function of an integer as `run`. */
export function wasmModule({ pages, ints, vectors, code }: WasmFunction): Uint8Array {
  const locals = [2, ...unsigned(ints), INT, ...unsigned(vectors), VECTOR];
  const body = [...locals, ...code.bytes, 0x0b];
  return Uint8Array.from([
    ...MAGIC,
    ...VERSION,
    ...section(1, [1, 0x60, 1, INT, 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, ...unsigned(pages)]),
    ...section(7, [2, ...named('memory'), 2, 0, ...named('run'), 0, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  ]);
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

function named(name: string): number[] {
  return [name.length, ...Buffer.from(name)];
}

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return bytes;
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const done = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
    bytes.push(done ? low : low | 0x80);
    if (done) return bytes;
  }
}
