import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { Writable } from 'node:stream';
import { encodingOf, type FileFormat } from './file-encoding.js';
import type { CarMessage } from './fleet.js';
import type { Progress, Published } from './publish.js';
import { monotonicClock, paced, type Pace } from './schedule.js';

export interface WriteOptions extends Pace {
  readonly format: FileFormat;
  readonly onProgress?: (progress: Progress) => void;
  /** Ends the file after the message that is being written. */
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
    return await writeMessages(source, stream, options);
  } finally {
    stream.end();
    if (!stream.destroyed) await once(stream, 'close');
  }
}

/** Writes the messages, none of them in part. A reader that goes away ends it like the signal does. @throws the stream's error */
export async function writeMessages(
  source: Iterable<CarMessage> | AsyncIterable<CarMessage>,
  stream: Writable,
  { format, onProgress, signal, ...pace }: WriteOptions,
): Promise<Published> {
  const start = performance.now();
  const soFar = (): Published => ({ published, seconds: (performance.now() - start) / 1_000 });
  const report = () => onProgress?.({ ...soFar(), trouble: null });
  const ticking = setInterval(report, 1_000);
  const failure = failureOf(stream);
  const encoding = encodingOf(format);
  // Somebody waits for paced messages; others are written many at a time.
  const chunk = pace.rate === undefined && pace.speed === undefined ? CHUNK : encoding.least;
  let published = 0;
  try {
    for await (const message of paced(source, pace, monotonicClock(signal))) {
      if (signal?.aborted || failure.gone()) break;
      encoding.add(message);
      published++;
      if (encoding.size >= chunk) await written(stream, encoding.take());
    }
    if (encoding.size > 0) await written(stream, encoding.take());
    failure.check();
    report();
    return soFar();
  } finally {
    clearInterval(ticking);
    failure.forget();
  }
}

async function written(stream: Writable, part: string | Buffer): Promise<void> {
  if (stream.destroyed) return;
  // Writing to a pipe or a terminal blocks; signals and timers get their turn in between all the same.
  await new Promise<void>((resolve) => stream.write(part, () => resolve()));
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
