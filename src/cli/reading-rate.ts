import { tell, tick } from './terminal.js';

/** How far reading has come. */
export interface ReadSoFar {
  readonly records: number;
  readonly bytes: number;
  /** Left out as they cannot be decoded. */
  readonly rejected: number;
}

/** Shows how fast a source is read: while it is, and in one line when it has come to its end. */
export class ReadingRate {
  readonly #what: string;
  #started: number | null = null;
  #soFar: ReadSoFar = { records: 0, bytes: 0, rejected: 0 };

  /** @param what is read: records */
  constructor(what: string) {
    this.#what = what;
  }

  show(soFar: ReadSoFar): void {
    this.#started ??= performance.now();
    this.#soFar = soFar;
    tick(this.#line());
  }

  async *summedUp<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
    yield* source;
    tell(`read ${this.#line()}`);
  }

  #line(): string {
    const { records, bytes, rejected } = this.#soFar;
    const seconds = Math.max(0.001, (performance.now() - (this.#started ?? 0)) / 1_000);
    const rate = `${Math.round(records / seconds)}/s, ${(bytes / seconds / 1e6).toFixed(1)} MB/s`;
    return `${records} ${this.#what}, ${(bytes / 1e6).toFixed(1)} MB, ${rate}, ${rejected} of them rejected and left out`;
  }
}
