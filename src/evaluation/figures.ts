import { recallAt, shareAbove } from '../score/quality.js';
import type { SignalName } from '../telemetry/signals.js';
import { kindOf } from '../twin/episode-kind.js';
import { distributionOf, rocOf, type RocPoint } from './curves.js';
import { aucWithInterval, quotientInterval, recallIntervals, type Interval } from './intervals.js';
import type { Judged } from './replay.js';
import { ScoresByCar } from './scores-by-car.js';

/** How well failed readings are told from normal ones. Shares are 0..1; intervals are of 95 % and take cars, not readings, for independent. */
export interface Figures {
  readonly normal: number;
  readonly failed: number;
  /** Area under the ROC curve. */
  readonly rocAuc: number;
  readonly rocAuc95: Interval;
  /** Area under the precision-recall curve, as average precision. */
  readonly prAuc: number;
  /** The share of the failed readings above the score that 0.1 % (1 %) of the normal ones exceed. */
  readonly recallAt01Percent: number;
  readonly recallAt01Percent95: Interval;
  readonly recallAt1Percent: number;
  readonly recallAt1Percent95: Interval;
  /** The share of the failed readings above the model's own threshold. */
  readonly flagged: number;
  readonly flagged95: Interval;
  /** Messages from a car's failure to the first one that is flagged; null where none was. */
  readonly delay: { readonly median: number | null; readonly p95: number | null; readonly neverFlagged: number };
  /** Flagged failed readings by the kind of the signal that is blamed most. */
  readonly blamed: Readonly<Record<string, number>>;
  /** The same by the signal itself. */
  readonly blamedSignals: Readonly<Record<string, number>>;
  /** Share of the failed readings found at a share of false positives, both rising. */
  readonly roc: readonly RocPoint[];
  /** Of the failed readings' scores over the threshold: the share in each bin of `curves.ts`. */
  readonly distribution: readonly number[];
}

/** How calm the model is on normal readings. */
export interface Calm {
  readonly readings: number;
  readonly flagged: number;
  readonly flagged95: Interval;
  readonly carHours: number;
  readonly falseEpisodes: number;
  readonly falseEpisodesPer1000CarHours: number;
  readonly falseEpisodesPer1000CarHours95: Interval;
  /** Of the scores over the threshold, as in Figures. */
  readonly distribution: readonly number[];
}

/** There are no figures of one class alone. */
export class OneClassError extends Error {
  readonly code = 'ONE_CLASS';
}

/** A gap in a car's readings that is no driving, ms. */
const LONGEST_GAP = 3_600_000;
const HOUR = 3_600_000;
/** After a failure the memory of a car needs this many readings to forget it. */
const FORGETS = 20;

interface CarSoFar {
  at: number;
  healthyFor: number;
  /** Infinity: this failure was flagged already. */
  failedFor: number;
  /** Of its normal readings */
  readings: number;
  flagged: number;
  /** ms */
  driven: number;
  falseEpisodes: number;
}

const NEW_CAR = { healthyFor: Infinity, failedFor: 0, readings: 0, flagged: 0, driven: 0, falseEpisodes: 0 };

/** Gathers judged readings of labelled or unlabelled cars; each car's in order. */
export class Tally {
  readonly normal = new ScoresByCar();
  readonly failed = new ScoresByCar();
  readonly #cars = new Map<string, CarSoFar>();
  readonly #delays: number[] = [];
  readonly #blamed: Record<string, number> = {};
  readonly #blamedSignals: Record<string, number> = {};
  #missed = 0;
  /** Readings without a score, by their reason. */
  readonly unscored: Record<string, number> = {};

  take({ reading, scored, changes }: Judged): void {
    const car = this.#cars.get(reading.car) ?? { at: reading.at, ...NEW_CAR };
    this.#cars.set(reading.car, car);
    const isFailed = reading.label === true;
    car.healthyFor = isFailed ? 0 : car.healthyFor + 1;
    const isNormal = car.healthyFor > FORGETS;
    if (isNormal) car.driven += Math.max(0, Math.min(LONGEST_GAP, reading.at - car.at));
    if (isNormal) car.falseEpisodes += changes.filter(({ event }) => event === 'OPENED').length;
    car.at = Math.max(car.at, reading.at);
    if (scored?.kind === 'unscored') this.unscored[scored.reason] = (this.unscored[scored.reason] ?? 0) + 1;
    if (scored?.kind !== 'scored') return;
    const { value, anomalous, topSignals } = scored.score;
    if (isNormal) {
      this.normal.add(reading.car, value);
      car.readings++;
      if (anomalous) car.flagged++;
    }
    if (isFailed) {
      this.failed.add(reading.car, value);
      this.#takeFailed(car, anomalous, topSignals[0]?.signal);
    } else if (car.failedFor > 0) this.#endFailure(car);
  }

  /** Once, when all are taken. */
  close(): void {
    for (const car of this.#cars.values()) if (car.failedFor > 0) this.#endFailure(car);
  }

  calm(threshold: number): Calm {
    const cars = [...this.#cars.values()];
    const sum = (of: (car: CarSoFar) => number) => cars.reduce((total, car) => total + of(car), 0);
    const [readings, falseEpisodes] = [sum((car) => car.readings), sum((car) => car.falseEpisodes)];
    const carHours = sum((car) => car.driven) / HOUR;
    const rate = cars.map((car) => ({ count: car.falseEpisodes, of: car.driven / HOUR }));
    return {
      readings,
      flagged: readings === 0 ? 0 : sum((car) => car.flagged) / readings,
      flagged95: quotientInterval(cars.map((car) => ({ count: car.flagged, of: car.readings }))),
      carHours,
      falseEpisodes,
      falseEpisodesPer1000CarHours: carHours === 0 ? 0 : (1_000 * falseEpisodes) / carHours,
      falseEpisodesPer1000CarHours95: quotientInterval(rate, 1_000),
      distribution: distributionOf(this.normal, threshold),
    };
  }

  /**
   * @param normal scores of normal readings to compare with; those of this tally by default
   * @throws OneClassError
   */
  figures(threshold: number, normal: ScoresByCar = this.normal): Figures {
    const { failed } = this;
    if (normal.count === 0 || failed.count === 0) {
      const only = normal.count === 0 ? 'failed' : 'normal (or unlabelled)';
      throw new OneClassError(`all scored readings are ${only}: figures need both, failed and normal ones`);
    }
    const [low, high] = [normal.values, failed.values];
    const { area, interval } = aucWithInterval(normal, failed);
    const { recall, flagged } = recallIntervals(normal, failed, [0.001, 0.01], threshold);
    const nothing: Interval = [0, 1];
    return {
      normal: normal.count,
      failed: failed.count,
      rocAuc: area,
      rocAuc95: interval,
      prAuc: averagePrecision(low, high),
      recallAt01Percent: recallAt(low, high, 0.001),
      recallAt01Percent95: recall[0] ?? nothing,
      recallAt1Percent: recallAt(low, high, 0.01),
      recallAt1Percent95: recall[1] ?? nothing,
      flagged: shareAbove(high, threshold),
      flagged95: flagged,
      delay: this.#delay(),
      blamed: this.#blamed,
      blamedSignals: this.#blamedSignals,
      roc: rocOf(low, high),
      distribution: distributionOf(failed, threshold),
    };
  }

  #delay(): Figures['delay'] {
    const delays = this.#delays.toSorted((one, other) => one - other);
    const at = (share: number) => delays[Math.ceil(share * delays.length) - 1] ?? null;
    return { median: at(0.5), p95: at(0.95), neverFlagged: this.#missed };
  }

  #takeFailed(car: CarSoFar, anomalous: boolean, signal: SignalName | undefined): void {
    if (anomalous) {
      const kind = kindOf(signal);
      this.#blamed[kind] = (this.#blamed[kind] ?? 0) + 1;
      if (signal) this.#blamedSignals[signal] = (this.#blamedSignals[signal] ?? 0) + 1;
    }
    car.failedFor = car.failedFor + 1;
    if (!anomalous || car.failedFor === Infinity) return;
    this.#delays.push(car.failedFor);
    car.failedFor = Infinity;
  }

  #endFailure(car: CarSoFar): void {
    if (car.failedFor !== Infinity) this.#missed++;
    car.failedFor = 0;
  }
}

/** The mean precision over the failed readings, each at its own score; ties at their worst. Both rising. */
export function averagePrecision(normal: Float64Array, failed: Float64Array): number {
  let sum = 0;
  let below = normal.length;
  for (let start = failed.length - 1; start >= 0; ) {
    const score = failed[start] ?? NaN;
    let end = start;
    while (end >= 0 && failed[end] === score) end--;
    while (below > 0 && (normal[below - 1] ?? NaN) >= score) below--;
    const hits = failed.length - 1 - end;
    sum += (start - end) * (hits / (hits + normal.length - below));
    start = end;
  }
  return sum / failed.length;
}
