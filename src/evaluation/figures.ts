import { rocAuc, recallAt, shareAbove } from '../score/quality.js';
import { kindOf } from '../twin/episode-kind.js';
import type { Judged } from './replay.js';

/** How well failed readings are told from normal ones. Shares are 0..1. */
export interface Figures {
  readonly normal: number;
  readonly failed: number;
  /** Area under the ROC curve, with its 95 % confidence interval. */
  readonly rocAuc: number;
  readonly rocAuc95: readonly [low: number, high: number];
  /** Area under the precision-recall curve, as average precision. */
  readonly prAuc: number;
  /** The share of the failed readings above the score that 0.1 % (1 %) of the normal ones exceed. */
  readonly recallAt01Percent: number;
  readonly recallAt1Percent: number;
  /** The share of the failed readings above the model's own threshold. */
  readonly flagged: number;
  /** Messages from a car's failure to the first one that is flagged; null where none was. */
  readonly delay: { readonly median: number | null; readonly p95: number | null; readonly neverFlagged: number };
  /** Flagged failed readings by the kind of the signal that is blamed most. */
  readonly blamed: Readonly<Record<string, number>>;
}

/** How calm the model is on normal readings. */
export interface Calm {
  readonly readings: number;
  readonly flagged: number;
  readonly carHours: number;
  readonly falseEpisodes: number;
  readonly falseEpisodesPer1000CarHours: number;
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

/** Gathers judged readings of labelled or unlabelled cars; each car's in order. */
export class Tally {
  readonly normal: number[] = [];
  readonly failed: number[] = [];
  readonly #cars = new Map<string, { at: number; healthyFor: number; failedFor: number }>();
  readonly #delays: number[] = [];
  readonly #blamed: Record<string, number> = {};
  #flaggedNormal = 0;
  #missed = 0;
  /** ms */
  #driven = 0;
  #falseEpisodes = 0;
  /** Readings without a score, by their reason. */
  readonly unscored: Record<string, number> = {};

  take({ reading, scored, changes }: Judged): void {
    const car = this.#cars.get(reading.car) ?? { at: reading.at, healthyFor: Infinity, failedFor: 0 };
    this.#cars.set(reading.car, car);
    const isFailed = reading.label === true;
    car.healthyFor = isFailed ? 0 : car.healthyFor + 1;
    const isNormal = car.healthyFor > FORGETS;
    if (isNormal) this.#driven += Math.max(0, Math.min(LONGEST_GAP, reading.at - car.at));
    if (isNormal) this.#falseEpisodes += changes.filter(({ event }) => event === 'OPENED').length;
    car.at = Math.max(car.at, reading.at);
    if (scored?.kind === 'unscored') this.unscored[scored.reason] = (this.unscored[scored.reason] ?? 0) + 1;
    if (scored?.kind !== 'scored') return;
    const { value, anomalous, topSignals } = scored.score;
    if (isNormal) {
      this.normal.push(value);
      if (anomalous) this.#flaggedNormal++;
    }
    if (isFailed) this.#takeFailed(car, value, anomalous, kindOf(topSignals[0]?.signal));
    else if (car.failedFor > 0) this.#endFailure(car);
  }

  /** Once, when all are taken. */
  close(): void {
    for (const car of this.#cars.values()) if (car.failedFor > 0) this.#endFailure(car);
  }

  calm(): Calm {
    const readings = this.normal.length;
    const [carHours, falseEpisodes] = [this.#driven / HOUR, this.#falseEpisodes];
    const per1000 = carHours === 0 ? 0 : (falseEpisodes / carHours) * 1_000;
    const flagged = readings === 0 ? 0 : this.#flaggedNormal / readings;
    return { readings, flagged, carHours, falseEpisodes, falseEpisodesPer1000CarHours: per1000 };
  }

  /**
   * @param normal scores of normal readings to compare with; those of this tally by default
   * @throws OneClassError
   */
  figures(threshold: number, normal: readonly number[] = this.normal): Figures {
    const [low, high] = [Float64Array.from(normal).sort(), Float64Array.from(this.failed).sort()];
    if (low.length === 0 || high.length === 0) {
      const only = low.length === 0 ? 'failed' : 'normal (or unlabelled)';
      throw new OneClassError(`all scored readings are ${only}: figures need both, failed and normal ones`);
    }
    const area = rocAuc(low, high);
    const delays = this.#delays.toSorted((one, other) => one - other);
    const at = (share: number) => delays[Math.ceil(share * delays.length) - 1] ?? null;
    return {
      normal: low.length,
      failed: high.length,
      rocAuc: area,
      rocAuc95: confidence(area, low.length, high.length),
      prAuc: averagePrecision(low, high),
      recallAt01Percent: recallAt(low, high, 0.001),
      recallAt1Percent: recallAt(low, high, 0.01),
      flagged: shareAbove(high, threshold),
      delay: { median: at(0.5), p95: at(0.95), neverFlagged: this.#missed },
      blamed: this.#blamed,
    };
  }

  #takeFailed(car: { failedFor: number }, value: number, anomalous: boolean, kind: string): void {
    this.failed.push(value);
    if (anomalous) this.#blamed[kind] = (this.#blamed[kind] ?? 0) + 1;
    // Infinity: this failure was flagged already.
    car.failedFor = car.failedFor + 1;
    if (!anomalous || car.failedFor === Infinity) return;
    this.#delays.push(car.failedFor);
    car.failedFor = Infinity;
  }

  #endFailure(car: { failedFor: number }): void {
    if (car.failedFor !== Infinity) this.#missed++;
    car.failedFor = 0;
  }
}

/** 95 %, by the standard error of Hanley and McNeil (Radiology 143, 1982), which takes readings for independent. */
export function confidence(area: number, normal: number, failed: number): readonly [number, number] {
  const [one, two] = [area / (2 - area), (2 * area ** 2) / (1 + area)];
  const spread = (failed - 1) * (one - area ** 2) + (normal - 1) * (two - area ** 2);
  const error = Math.sqrt(Math.max(0, area * (1 - area) + spread) / (normal * failed));
  return [Math.max(0, area - 1.96 * error), Math.min(1, area + 1.96 * error)];
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
