import { AvroBlocks } from './avro-blocks.js';
import type { CarMessage } from './fleet.js';
import { CSV_HEADER, csvLine, jsonLine } from './wire.js';

export const FILE_FORMATS = ['jsonl', 'csv', 'avro'] as const;
export type FileFormat = (typeof FILE_FORMATS)[number];

/** Messages on their way into a file. What `take` gives is whole: a file may end after any of it. */
export interface FileEncoding {
  /** Bytes at least from which it is worth while to take what was added, also where somebody waits for it. */
  readonly least: number;
  /** Bytes (or characters) that wait to be taken. */
  readonly size: number;
  add(message: CarMessage): void;
  /** What was added since, in front of it the file's head the first time. */
  take(): string | Buffer;
}

export function encodingOf(format: FileFormat): FileEncoding {
  switch (format) {
    case 'jsonl':
      return new Lines(jsonLine, '');
    case 'csv':
      return new Lines(csvLine, `${CSV_HEADER}\n`);
    case 'avro':
      return new AvroBlocks();
  }
}

class Lines implements FileEncoding {
  readonly least = 0;
  readonly #lineOf: (message: CarMessage) => string;
  #lines: string;

  constructor(lineOf: (message: CarMessage) => string, head: string) {
    this.#lineOf = lineOf;
    this.#lines = head;
  }

  get size(): number {
    return this.#lines.length;
  }

  add(message: CarMessage): void {
    this.#lines += `${this.#lineOf(message)}\n`;
  }

  take(): string {
    const lines = this.#lines;
    this.#lines = '';
    return lines;
  }
}
