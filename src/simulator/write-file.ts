import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { Writable } from 'node:stream';
import type { CarMessage } from './fleet.js';
import type { Progress, Published } from './publish.js';
import { monotonicClock, paced, type Pace } from './schedule.js';
import { CSV_HEADER, csvLine, jsonLine } from './wire.js';

export type FileFormat = 'jsonl' | 'csv';

export interface WriteOptions extends Pace {
  readonly format: FileFormat;
  readonly onProgress?: (progress: Progress) => void;
  /** Ends the file after the line that is being written. */
  readonly signal?: AbortSignal;
}

const CHUNK = 64 * 1024;

/** @throws the file system's error */
export async function writeFileOf(
  source: Iterable<CarMessage> | AsyncIterable<CarMessage>,
  file: string,
  options: WriteOptions,
): Promise<Published> {
  const stream = createWriteStream(file);
  await once(stream, 'open');
  try {
    return await writeLines(source, stream, options);
  } finally {
    stream.end();
    if (!stream.destroyed) await once(stream, 'close');
  }
}

/** Writes the messages as lines. A reader that goes away ends it like the signal does. @throws the stream's error */
export async function writeLines(
  source: Iterable<CarMessage> | AsyncIterable<CarMessage>,
  stream: Writable,
  { format, onProgress, signal, ...pace }: WriteOptions,
): Promise<Published> {
  const start = performance.now();
  const soFar = (): Published => ({ published, seconds: (performance.now() - start) / 1_000 });
  const report = () => onProgress?.({ ...soFar(), trouble: null });
  const ticking = setInterval(report, 1_000);
  const failure = failureOf(stream);
  const lineOf = format === 'csv' ? csvLine : jsonLine;
  // Somebody waits for paced lines; others are written many at a time.
  const chunk = pace.rate === undefined && pace.speed === undefined ? CHUNK : 0;
  let published = 0;
  let lines = format === 'csv' ? `${CSV_HEADER}\n` : '';
  try {
    for await (const message of paced(source, pace, monotonicClock(signal))) {
      if (signal?.aborted || failure.gone()) break;
      lines += `${lineOf(message)}\n`;
      published++;
      if (lines.length < chunk) continue;
      await written(stream, lines);
      lines = '';
    }
    if (lines !== '') await written(stream, lines);
    failure.check();
    report();
    return soFar();
  } finally {
    clearInterval(ticking);
    failure.forget();
  }
}

async function written(stream: Writable, text: string): Promise<void> {
  if (stream.destroyed) return;
  // Writing to a pipe or a terminal blocks; signals and timers get their turn in between all the same.
  await new Promise<void>((resolve) => stream.write(text, () => resolve()));
  await setImmediate();
}

function failureOf(stream: Writable) {
  let failure: NodeJS.ErrnoException | null = null;
  const keep = (error: NodeJS.ErrnoException) => (failure ??= error);
  stream.on('error', keep);
  const readerGone = () => failure?.code === 'EPIPE';
  return {
    gone: () => failure !== null,
    check: () => {
      if (failure !== null && !readerGone()) throw failure;
    },
    forget: () => stream.off('error', keep),
  };
}
