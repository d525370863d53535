import { createHash, type Hash } from 'node:crypto';
import type { Reading } from '../telemetry/reading.js';
import { FEATURE_COUNT, readFeatures } from './features.js';
import { collectGarbage } from './garbage.js';
import { newState } from './memory.js';
import { SignalSample, type SignalDistribution } from './signal-distribution.js';
import { Lots, RowSample, type RowOrder, type Rows } from './row-sample.js';

export type { Rows };

/** What a car's rows are used for; a car's rows all go the same way, so that every judgement is on cars never trained on. */
export type Use = 'fit' | 'stop' | 'threshold';

export interface TrainingSet {
  readonly fit: Rows;
  /** For early stopping and the normal errors. */
  readonly stop: Rows;
  readonly threshold: Rows;
  readonly readings: number;
  readonly cars: number;
  /** Left out because they, or one of the car's last readings, are labelled as failed. */
  readonly leftOut: number;
  /** How the signals of the readings that were not left out are spread. */
  readonly signals: readonly SignalDistribution[];
  /** SHA-256 of the rows of `fit` */
  readonly hash: string;
}

/** Which numbers of a reading, and of the car's past, a kind of model is trained on. */
export interface RowMaker {
  /** numbers a row */
  readonly width: number;
  /** The most rows that are kept for a use: what bounds the memory, however many readings there are. */
  readonly capacity: Readonly<Record<Use, number>>;
  /** After a failure the car's past needs this many readings to forget it. */
  readonly forgets: number;
  /** Of a car of which nothing is known yet. */
  readonly newState: readonly number[];
  /**
   * Writes the row of a reading.
   * @returns the car's state after it; the one given stays as it was
   */
  write(reading: Reading, state: readonly number[], row: Float64Array): readonly number[];
}

/**
 * 75 MB in all. Beyond them more rows of the same kind change a network of 2,600 weights no more; what is kept is drawn
 * evenly from all.
 */
export const CAPACITY: Readonly<Record<Use, number>> = { fit: 130_000, stop: 65_000, threshold: 65_000 };

export const FEATURE_ROWS: RowMaker = {
  width: FEATURE_COUNT,
  capacity: CAPACITY,
  forgets: 20,
  newState: newState(),
  write: (reading, state, row) => readFeatures(reading, state, row, 0),
};

/** Readings */
const COLLECT_EVERY = 32_768;

/** There is nothing, or too little, to train on. */
export class TooLittleDataError extends Error {
  readonly code = 'TOO_LITTLE_DATA';
}

/**
 * Folds readings (of many cars, interleaved, each car's in order) into rows. Failed readings are left out, and
 * so are those after them in which the car's memory still knows the failure; unlabelled ones count as healthy.
 * Memory is bounded by the capacity and the number of cars.
 *
 * @param order of the rows: drawn where the cars are not interleaved the same way each time
 * @throws TooLittleDataError
 */
export async function gatherTrainingSet(
  readings: Iterable<Reading> | AsyncIterable<Reading>,
  order: RowOrder,
  maker: RowMaker = FEATURE_ROWS,
): Promise<TrainingSet> {
  const { width, capacity } = maker;
  const cars = new Map<string, CarInTraining>();
  const rows = {
    fit: new RowSample(capacity.fit, width),
    stop: new RowSample(capacity.stop, width),
    threshold: new RowSample(capacity.threshold, width),
  };
  const row = new Float64Array(width);
  const signals = new SignalSample();
  let count = 0;
  let leftOut = 0;
  for await (const reading of readings) {
    const car = known(cars, reading.car, maker);
    if (++count % COLLECT_EVERY === 0) collectGarbage();
    car.state = maker.write(reading, car.state, row);
    car.healthyFor = reading.label === true ? 0 : car.healthyFor + 1;
    const lot = car.lots.next();
    if (car.healthyFor < maker.forgets) leftOut++;
    else {
      rows[car.use].offer(row, lot);
      signals.offer(reading.signals, lot);
    }
  }
  for (const [use, { count: have }] of Object.entries(rows)) {
    if (have < 100) throw new TooLittleDataError(`${count} readings of ${cars.size} cars leave ${have} rows to ${use}`);
  }
  const taken = {
    fit: rows.fit.taken(order),
    stop: rows.stop.taken(order),
    threshold: rows.threshold.taken(order),
  };
  return {
    ...taken,
    readings: count,
    cars: cars.size,
    leftOut,
    signals: signals.distributions(),
    hash: hashOf(taken.fit),
  };
}

interface CarInTraining {
  readonly use: Use;
  readonly lots: Lots;
  state: readonly number[];
  healthyFor: number;
}

function known(cars: Map<string, CarInTraining>, id: string, { newState: state }: RowMaker): CarInTraining {
  const car = cars.get(id) ?? { use: useOf(id), lots: new Lots(id), state, healthyFor: Infinity };
  cars.set(id, car);
  return car;
}

/** By the hash of the car id: the same car goes the same way in every run. */
function useOf(car: string): Use {
  const part = createHash('sha256').update(car).digest().readUInt16BE(0) % 8;
  return part < 4 ? 'fit' : part < 6 ? 'stop' : 'threshold';
}

/** Whether rows of this car are what a network is fitted to; the other cars judge it. */
export function isFittedTo(car: string): boolean {
  return useOf(car) === 'fit';
}

function hashOf({ values }: Rows): string {
  const hash: Hash = createHash('sha256');
  return hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)).digest('hex');
}
