import { createHash, type Hash } from 'node:crypto';
import type { Reading } from '../telemetry/reading.js';
import { FEATURE_COUNT, readFeatures } from './features.js';
import { newState } from './memory.js';

/** What a car's rows are used for; a car's rows all go the same way, so that every judgement is on cars never trained on. */
export type Use = 'fit' | 'stop' | 'threshold';

/** Rows of features, NaN where missing. */
export interface Rows {
  readonly count: number;
  readonly values: Float64Array;
}

export interface TrainingSet {
  readonly fit: Rows;
  /** For early stopping and the normal errors. */
  readonly stop: Rows;
  readonly threshold: Rows;
  readonly readings: number;
  readonly cars: number;
  /** Left out because they, or one of the car's last readings, are labelled as failed. */
  readonly leftOut: number;
  /** SHA-256 of the rows of `fit` */
  readonly hash: string;
}

/** After a failure the memory needs this many readings to forget it. */
const FORGETS = 20;

/** There is nothing, or too little, to train on. */
export class TooLittleDataError extends Error {
  readonly code = 'TOO_LITTLE_DATA';
}

/**
 * Folds readings (of many cars, interleaved, each car's in order) into rows of features. Failed readings are left out, and
 * so are those after them in which the car's memory still knows the failure; unlabelled ones count as healthy.
 */
export async function gatherTrainingSet(readings: Iterable<Reading> | AsyncIterable<Reading>): Promise<TrainingSet> {
  const cars = new Map<string, CarInTraining>();
  const rows = { fit: new GrowingRows(), stop: new GrowingRows(), threshold: new GrowingRows() };
  const row = new Float64Array(FEATURE_COUNT);
  let count = 0;
  let leftOut = 0;
  for await (const reading of readings) {
    const car = known(cars, reading.car);
    count++;
    car.state = readFeatures(reading, car.state, row, 0);
    car.healthyFor = reading.label === true ? 0 : car.healthyFor + 1;
    if (car.healthyFor < FORGETS) leftOut++;
    else rows[car.use].push(row);
  }
  const { fit, stop, threshold } = rows;
  for (const [use, { count: have }] of Object.entries(rows)) {
    if (have < 100) throw new TooLittleDataError(`${count} readings of ${cars.size} cars leave ${have} rows to ${use}`);
  }
  const taken = { fit: fit.taken(), stop: stop.taken(), threshold: threshold.taken() };
  return { ...taken, readings: count, cars: cars.size, leftOut, hash: hashOf(taken.fit) };
}

interface CarInTraining {
  readonly use: Use;
  state: readonly number[];
  healthyFor: number;
}

function known(cars: Map<string, CarInTraining>, id: string): CarInTraining {
  const car = cars.get(id) ?? { use: useOf(id), state: newState(), healthyFor: Infinity };
  cars.set(id, car);
  return car;
}

/** By the hash of the car id: the same car goes the same way in every run. */
function useOf(car: string): Use {
  const part = createHash('sha256').update(car).digest().readUInt16BE(0) % 8;
  return part < 4 ? 'fit' : part < 6 ? 'stop' : 'threshold';
}

function hashOf({ values }: Rows): string {
  const hash: Hash = createHash('sha256');
  return hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)).digest('hex');
}

class GrowingRows {
  #values = new Float64Array(1_024 * FEATURE_COUNT);
  count = 0;

  push(row: Float64Array): void {
    const start = this.count * FEATURE_COUNT;
    if (start + FEATURE_COUNT > this.#values.length) {
      const larger = new Float64Array(this.#values.length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values.set(row, start);
    this.count++;
  }

  taken(): Rows {
    return { count: this.count, values: this.#values.subarray(0, this.count * FEATURE_COUNT) };
  }
}
