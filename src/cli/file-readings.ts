import { readingsOf } from '../simulator/readings-file.js';
import type { Reading } from '../telemetry/reading.js';

/**
 * The readings of a .csv, .jsonl or .avro file, in its order.
 * @throws ReadingsFileError that names the file and what is wrong where; what the signal was aborted with
 */
export async function* fileReadings(file: string, signal?: AbortSignal): AsyncGenerator<Reading> {
  for await (const { car, at, signals, label } of readingsOf(file)) {
    signal?.throwIfAborted();
    yield { car, at, skewedAt: null, signals, label };
  }
}
