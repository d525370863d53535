import { MOST_WINDOWS } from '../../history/aggregate.js';
import { MOST_BUCKETS } from '../../history/buckets.js';
import { MOST_POINTS } from '../../history/series.js';
import { SIGNAL_NAMES } from '../../telemetry/signals.js';
import { STEPS } from '../../telemetry/window.js';
import { parseDuration } from '../history/duration.js';
import { parseInstant } from '../scalars.js';
import { UNKNOWN } from './given-arguments.js';

/** What a field is given, by the names of its arguments. */
type Given = (name: string) => unknown;

/** So many points, or figures of one signal in a bucket, cost as much as an object. */
const SMALL = 20;
/** So many windows of time that figures are made from cost as much as an object. */
const WINDOWS = 100;
/** A signal of a series is read as up to 20,000 values, however few points are made of them. */
const SERIES = 20;
/** A page of rollups looks through up to 5,000 windows. */
const ROLLUPS = 100;
/** A car, or a fleet, as of an instant. */
const THEN = 100;
/** All cars are read once. */
const FLEET = 200;
/** Up to 20,000 readings are taken from the history. */
const SAMPLE = 1_000;
const USUAL_POINTS = 500;

/** What fields cost beside the objects in them, by `Type.field`. docs/access.md tells the same. */
const WEIGHTS: Readonly<Record<string, (given: Given) => number>> = {
  'Car.aggregate': aggregateWeight,
  'Car.series': (given) => signalsIn(given) * (SERIES + Math.ceil(pointsIn(given) / SMALL)),
  'Car.rollups': () => ROLLUPS,
  'Fleet.rollups': () => ROLLUPS,
  'Car.diff': () => 2 * THEN,
  'Query.car': thenWeight,
  'Query.fleet': (given) => FLEET + thenWeight(given),
  'Query.cars': carsWeight,
  'Query.compareFleets': () => 2 * FLEET,
  'Query.drift': () => SAMPLE,
  'Query.modelComparison': () => FLEET,
  'Fleet.byFirmware': () => FLEET,
  'Fleet.byFleet': () => FLEET,
  'Fleet.byModel': () => FLEET,
  'Fleet.correlation': () => 3 * FLEET,
  'Fleet.distribution': () => 2 * FLEET,
  'Fleet.episodeTimes': () => 2 * FLEET,
  'Fleet.extremes': () => 2 * FLEET,
  'Fleet.failureRates': () => 2 * FLEET,
  'Fleet.groupBy': () => FLEET,
  'Fleet.top': () => FLEET,
  'Subscription.fleetUpdates': () => FLEET,
};

/** What is not known counts as the largest that is let through. */
export function weightOf(field: string, given: Given): number {
  return WEIGHTS[field]?.(given) ?? 0;
}

function aggregateWeight(given: Given): number {
  const [from, to, step] = [timeIn(given, 'from'), timeIn(given, 'to'), stepIn(given)];
  const span = to - from;
  const window = [from, to, step].every((one) => one % STEPS.HOUR === 0) ? 'HOUR' : 'FIVE_MINUTES';
  const buckets = atMost(MOST_BUCKETS, span / step);
  const windows = atMost(MOST_WINDOWS, span / STEPS[window]);
  return Math.ceil((buckets * signalsIn(given)) / SMALL) + Math.ceil(windows / WINDOWS);
}

/** Whole; the limit where the number is none. */
function atMost(limit: number, count: number): number {
  return Number.isNaN(count) ? limit : Math.min(limit, Math.max(0, Math.ceil(count)));
}

function thenWeight(given: Given): number {
  return (given('at') ?? null) === null ? 0 : THEN;
}

/** Of a filter all cars are read, for the places and for `totalCount`; of an order once. Cars that are named are looked up. */
function carsWeight(given: Given): number {
  const [filter, order] = [partsOf(given('filter')), partsOf(given('orderBy'))];
  if ((filter['ids'] ?? null) !== null) return 0;
  if (Object.values(filter).some((part) => part !== null && part !== undefined)) return 2 * FLEET;
  return (order['field'] ?? 'ID') === 'ID' ? 0 : FLEET;
}

/** What is not known counts as a part of it. */
function partsOf(value: unknown): Readonly<Record<string, unknown>> {
  if (value === UNKNOWN) return { unknown: true, field: UNKNOWN };
  return typeof value === 'object' ? { ...value } : {};
}

/** A single one may stand for a list of one. */
function signalsIn(given: Given): number {
  const signals = given('signals');
  if (!Array.isArray(signals)) return signals === UNKNOWN ? SIGNAL_NAMES.length : 1;
  return Math.min(SIGNAL_NAMES.length, signals.length);
}

function pointsIn(given: Given): number {
  const points = given('maxPoints') ?? USUAL_POINTS;
  return typeof points === 'number' ? atMost(MOST_POINTS, points) : MOST_POINTS;
}

/** ms; no number where it is not known */
function timeIn(given: Given, name: string): number {
  return parsed(() => parseInstant(given(name)).getTime());
}

/** ms; no number where it is not known */
function stepIn(given: Given): number {
  return parsed(() => parseDuration(given('step')));
}

/** What cannot be read is refused elsewhere. */
function parsed(parse: () => number): number {
  try {
    return parse();
  } catch {
    return Number.NaN;
  }
}
