import { countBelow } from '../score/quality.js';
import { seeded } from '../score/seeded.js';
import type { ScoresByCar } from './scores-by-car.js';

/** The ends of a 95 % confidence interval. */
export type Interval = readonly [low: number, high: number];

const DRAWS = 1_000;
const SEED = 1;

/**
 * The chance that a failed reading scores higher than a normal one (area under the ROC curve), ties counting half, with
 * DeLong's interval for clustered data (Obuchowski, Biometrics 53, 1997): the cluster is the car, also where it has
 * readings of both classes. With a single car of a class nothing is known: 0 to 1.
 */
export function aucWithInterval(normal: ScoresByCar, failed: ScoresByCar): { area: number; interval: Interval } {
  const [n, m] = [normal.count, failed.count];
  const winsOfFailed = placements(failed, normal.values);
  const lossesOfNormal = placements(normal, failed.values);
  let area = 0;
  for (const wins of winsOfFailed.values()) area += wins / m;
  const failedOff = deviations(failed, winsOfFailed, area);
  const normalOff = deviations(normal, lossesOfNormal, 1 - area);
  const cars = new Set([...failedOff.keys(), ...normalOff.keys()]);
  let together = 0;
  // A normal reading's own part of the area is 1 minus its placement.
  for (const car of cars) together -= (failedOff.get(car) ?? 0) * (normalOff.get(car) ?? 0);
  const variance =
    spread(failedOff) / m ** 2 + spread(normalOff) / n ** 2 + (2 * unbiased(cars.size) * together) / (m * n);
  if (Number.isNaN(variance)) return { area, interval: [0, 1] };
  const error = 1.96 * Math.sqrt(Math.max(0, variance));
  return { area, interval: [Math.max(0, area - error), Math.min(1, area + error)] };
}

/** For each car, the sum over its scores of the share of the others that lie below, ties half. */
function placements(of: ScoresByCar, others: Float64Array): Map<string, number> {
  const sums = new Map<string, number>();
  for (const [car, scores] of of.cars) {
    let sum = 0;
    for (const score of scores) sum += (countBelow(others, score, false) + countBelow(others, score, true)) / 2;
    sums.set(car, sum / others.length);
  }
  return sums;
}

function deviations(of: ScoresByCar, sums: ReadonlyMap<string, number>, mean: number): Map<string, number> {
  return new Map([...of.cars].map(([car, scores]) => [car, (sums.get(car) ?? NaN) - scores.length * mean]));
}

function spread(deviations: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const off of deviations.values()) sum += off ** 2;
  return unbiased(deviations.size) * sum;
}

function unbiased(clusters: number): number {
  return clusters > 1 ? clusters / (clusters - 1) : NaN;
}

/** Intervals of shares of the failed readings: above the score that a share of the normal ones exceeds, or above a fixed one. */
export interface RecallIntervals {
  /** For each of `falsePositives`. */
  readonly recall: readonly Interval[];
  readonly flagged: Interval;
}

/**
 * By a bootstrap over cars: whole cars are drawn with replacement, a thousand times from a fixed seed, and with them all
 * their readings, the normal ones that set the score to exceed included.
 */
export function recallIntervals(
  normal: ScoresByCar,
  failed: ScoresByCar,
  falsePositives: readonly number[],
  threshold: number,
): RecallIntervals {
  const cars = [...new Set([...normal.cars.keys(), ...failed.cars.keys()])];
  const place = new Map(cars.map((car, index) => [car, index]));
  const carOf = Uint32Array.from(normal.carOf, (car) => place.get(car) ?? 0);
  const sorted = cars.map((car) => Float64Array.from(failed.cars.get(car) ?? []).sort());
  const aboveThreshold = sorted.map((scores) => scores.length - countBelow(scores, threshold, true));
  const recall: number[][] = falsePositives.map(() => []);
  const flagged: number[] = [];
  draw(cars.length, (weights) => {
    const readings = weighted(weights, (car) => sorted[car]?.length ?? 0);
    if (readings === 0) return;
    const all = weighted(weights, (car) => normal.cars.get(cars[car] ?? '')?.length ?? 0);
    falsePositives.forEach((share, at) => {
      const limit = limitOf(normal.values, carOf, weights, share * all);
      const above = weighted(weights, (car) => {
        const scores = sorted[car];
        return scores ? scores.length - countBelow(scores, limit, true) : 0;
      });
      recall[at]?.push(above / readings);
    });
    flagged.push(weighted(weights, (car) => aboveThreshold[car] ?? 0) / readings);
  });
  return { recall: recall.map(ends), flagged: ends(flagged) };
}

/** The score that only so many of the weighted normal readings exceed. */
function limitOf(values: Float64Array, carOf: Uint32Array, weights: Float64Array, most: number): number {
  let above = 0;
  for (let at = values.length - 1; at >= 0; at--) {
    above += weights[carOf[at] ?? 0] ?? 0;
    if (above > most) return values[at] ?? NaN;
  }
  return -Infinity;
}

/**
 * The interval of a quotient of two sums over cars, by the same bootstrap. Where nothing was counted the upper end is by
 * the rule of three: what would have been seen in 95 of 100 such trials.
 * @param per what the quotient is counted for: 1,000 for events per 1,000 hours
 */
export function quotientInterval(
  cars: readonly { readonly count: number; readonly of: number }[],
  per: number = 1,
): Interval {
  const all = cars.reduce((sum, { of }) => sum + of, 0);
  if (all === 0) return [0, 0];
  if (cars.every(({ count }) => count === 0)) return [0, (3 * per) / all];
  const quotients: number[] = [];
  draw(cars.length, (weights) => {
    const of = weighted(weights, (car) => cars[car]?.of ?? 0);
    if (of > 0) quotients.push((per * weighted(weights, (car) => cars[car]?.count ?? 0)) / of);
  });
  return ends(quotients);
}

function draw(cars: number, each: (weights: Float64Array) => void): void {
  const random = seeded(SEED);
  const weights = new Float64Array(cars);
  for (let trial = 0; trial < DRAWS; trial++) {
    weights.fill(0);
    for (let n = 0; n < cars; n++) {
      const car = Math.floor(random() * cars);
      weights[car] = (weights[car] ?? 0) + 1;
    }
    each(weights);
  }
}

function weighted(weights: Float64Array, of: (car: number) => number): number {
  let sum = 0;
  for (let car = 0; car < weights.length; car++) {
    const weight = weights[car] ?? 0;
    if (weight > 0) sum += weight * of(car);
  }
  return sum;
}

function ends(values: readonly number[]): Interval {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
  return [at(0.025), at(0.975)];
}
