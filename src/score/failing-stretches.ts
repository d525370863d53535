import type { Reading } from '../telemetry/reading.js';
import type { SignalName } from '../telemetry/signals.js';
import { FEATURE_COUNT, readFeatures } from './features.js';
import type { Reconstruct } from './calibrate.js';
import { Judge, type JudgeRules } from './judge.js';
import { newState } from './memory.js';

/** Readings of a car that are judged together: noise has no say in their median, and a failure stays longer. */
const STRETCH = 20;
/** Robust standard deviations that a stretch may be away from the fleet's. */
const FAR = 6;
/** In normal errors: less than this away nobody would call failing, however much alike the fleet's cars are. */
const LEAST = 0.75;
/** The standard deviation of a normal distribution over its median absolute deviation. */
const SPREAD_OF_MAD = 1.4826;
const ROWS_AT_ONCE = 4_096;

/** What was left out of a calibration, and why. */
export interface FailingStretches {
  /** Whether the car's reading of this number (from 0) lies in a stretch that looks like a failure, or beside one. */
  has(car: string, reading: number): boolean;
  /** Cars with such a stretch, each with the signal that is farthest off. */
  readonly cars: ReadonlyMap<string, SignalName>;
}

interface Stretch {
  readonly car: string;
  readonly place: number;
  /** Of each feature the median error, in normal errors; NaN where it was missing. */
  readonly medians: Float32Array;
}

/**
 * Finds what looks like a failure among unlabelled readings, most of which are healthy. What all cars share (noise, a
 * climate) is no failure: a stretch of a car is one when the median error of some feature is far from that of the fleet's
 * stretches, in their own spread (the median absolute deviation, which a minority cannot move).
 */
export async function failingStretches(
  readings: Iterable<Reading> | AsyncIterable<Reading>,
  rules: JudgeRules,
  reconstruct: Reconstruct,
): Promise<FailingStretches> {
  const gathered = new Stretches();
  const judge = new Judge(rules);
  const states = new Map<string, readonly number[]>();
  const rows = new Float64Array(ROWS_AT_ONCE * FEATURE_COUNT);
  let cars: string[] = [];
  const flush = async () => {
    const values = rows.slice(0, cars.length * FEATURE_COUNT);
    const outputs = await reconstruct(judge.toInputs(values), cars.length);
    cars.forEach((car, row) => gathered.take(car, errorsOf(rules, values, outputs, row)));
    cars = [];
  };
  for await (const reading of readings) {
    const before = states.get(reading.car) ?? newState();
    states.set(reading.car, readFeatures(reading, before, rows, cars.length * FEATURE_COUNT));
    cars.push(reading.car);
    if (cars.length === ROWS_AT_ONCE) await flush();
  }
  if (cars.length > 0) await flush();
  return found(gathered.close(), rules);
}

/** Signed, in normal errors. */
function errorsOf({ features }: JudgeRules, values: Float64Array, outputs: Float32Array, row: number): Float32Array {
  return Float32Array.from(features, ({ normalError }, feature) => {
    const at = row * FEATURE_COUNT + feature;
    const error = (values[at] ?? NaN) - (outputs[at] ?? NaN);
    return error / (error < 0 ? normalError.below : normalError.above);
  });
}

class Stretches {
  readonly #open = new Map<string, { place: number; rows: Float32Array[] }>();
  readonly #done: Stretch[] = [];

  take(car: string, errors: Float32Array): void {
    const open = this.#open.get(car) ?? { place: 0, rows: [] };
    this.#open.set(car, open);
    open.rows.push(errors);
    if (open.rows.length === STRETCH) this.#end(car, open);
  }

  /** A rest that is too short for a median says nothing; it goes with the stretch before it. */
  close(): readonly Stretch[] {
    for (const [car, open] of this.#open) if (open.rows.length >= STRETCH / 2) this.#end(car, open);
    return this.#done;
  }

  #end(car: string, open: { place: number; rows: Float32Array[] }): void {
    const medians = Float32Array.from({ length: FEATURE_COUNT }, (_, feature) =>
      medianOf(open.rows.map((row) => row[feature] ?? NaN)),
    );
    this.#done.push({ car, place: open.place++, medians });
    open.rows = [];
  }
}

function found(stretches: readonly Stretch[], { features }: JudgeRules): FailingStretches {
  const places = new Map<string, Set<number>>();
  const worst = new Map<string, { signal: SignalName; times: number }>();
  features.forEach(({ signal }, feature) => {
    const errors = stretches.map(({ medians }) => medians[feature] ?? NaN);
    const middle = medianOf(errors);
    const limit = Math.max(LEAST, FAR * SPREAD_OF_MAD * medianOf(errors.map((one) => Math.abs(one - middle))));
    for (const { car, place, medians } of stretches) {
      const times = Math.abs((medians[feature] ?? NaN) - middle) / limit;
      if (!(times > 1)) continue;
      places.set(car, (places.get(car) ?? new Set()).add(place));
      if (times > (worst.get(car)?.times ?? 0)) worst.set(car, { signal, times });
    }
  });
  return {
    cars: new Map([...worst].map(([car, { signal }]) => [car, signal])),
    has: (car, reading) => {
      const place = Math.floor(reading / STRETCH);
      const of = places.get(car);
      return of !== undefined && (of.has(place - 1) || of.has(place) || of.has(place + 1));
    },
  };
}

/** Of the numbers that are there; NaN where fewer than half are. */
function medianOf(values: readonly number[]): number {
  const sorted = Float64Array.from(values.filter((value) => !Number.isNaN(value))).sort();
  return sorted.length * 2 < values.length ? NaN : (sorted[Math.floor(sorted.length / 2)] ?? NaN);
}
