import type { Filter } from 'mongodb';
import { STEPS, windowStart, type Step } from '../telemetry/window.js';
import { rollupsOf } from '../twin/collections.js';
import type { Database } from '../twin/database.js';
import type { ReadingDocument } from '../twin/documents.js';
import type {
  CarRollupDocument,
  FleetRollupDocument,
  RollupDocument,
  RollupMarkDocument,
} from '../twin/rollup-documents.js';
import { markId, windowId } from '../twin/rollup-marks.js';
import { Tallies, type Tally } from './tally.js';

/** Ids in one `$in`. */
const GROUP = 500;
/** Documents that come at once: what else the process does waits for so many at most. */
const BATCH = 1_000;

/** An answer would have to be made from more readings than it may. */
export class TooManyReadings extends Error {
  override readonly name = 'TooManyReadings';
}

/** What an answer may cost; what is not answered, like the computing of rollups, has no limits. */
export interface ReadLimits {
  /** ms that the database may take for one read */
  readonly time: number;
  /** Readings of one stretch. */
  readonly readings: number;
}

const timed = (limits?: ReadLimits) => (limits ? { maxTimeMS: limits.time } : {});

export const carRollupId = (start: number, run: string, car: string) => `${windowId(start)}/${run}/${car}`;

/** All documents whose id begins with `prefix/`: the sign behind `/` is `0`. */
export const under = (prefix: string) => ({ $gt: `${prefix}/`, $lt: `${prefix}0` });

/** Marks of windows that begin at or after `from` and before `to`, in the order of time; ms. */
export function marksBetween(
  { collections }: Database,
  step: Step,
  from: number,
  to: number,
  limits?: ReadLimits,
): Promise<RollupMarkDocument[]> {
  const filter = { _id: { $gte: markId(step, from, ''), $lt: markId(step, to, '') } };
  return collections.rollupMarks.find(filter, timed(limits)).sort({ _id: 1 }).toArray();
}

/** The windows' fleet documents by start; those that were never computed are missing. */
export async function fleetRollups(
  { collections }: Database,
  step: Step,
  starts: readonly number[],
  limits?: ReadLimits,
): Promise<Map<number, FleetRollupDocument>> {
  const found = new Map<number, FleetRollupDocument>();
  for (let first = 0; first < starts.length; first += GROUP) {
    const ids = starts.slice(first, first + GROUP).map(windowId);
    for (const document of await rollupsOf(collections, step)
      .find({ _id: { $in: ids } }, timed(limits))
      .toArray())
      if ('run' in document) found.set(document.at.getTime(), document);
  }
  return found;
}

/** The documents of one car in windows that are computed, by start. */
export async function carRollups(
  { collections }: Database,
  step: Step,
  car: string,
  windows: readonly FleetRollupDocument[],
  limits?: ReadLimits,
): Promise<Map<number, CarRollupDocument>> {
  const found = new Map<number, CarRollupDocument>();
  for (let first = 0; first < windows.length; first += GROUP) {
    const ids = windows.slice(first, first + GROUP).map(({ at, run }) => carRollupId(at.getTime(), run, car));
    for (const document of await rollupsOf(collections, step)
      .find({ _id: { $in: ids } }, timed(limits))
      .toArray())
      if ('car' in document) found.set(document.at.getTime(), document);
  }
  return found;
}

/**
 * The cars of a window that is computed.
 * @param among only those from its first car to its last, in the order of ids
 */
export function carsOfRun(
  { collections }: Database,
  step: Step,
  { at, run }: Pick<FleetRollupDocument, 'at' | 'run'>,
  among?: readonly string[],
): AsyncIterable<RollupDocument> {
  const id = (car: string) => carRollupId(at.getTime(), run, car);
  const some = among && { $gte: id(among[0] ?? ''), $lte: id(among.at(-1) ?? '') };
  const filter = { _id: some ?? under(`${windowId(at.getTime())}/${run}`) };
  return rollupsOf(collections, step).find(filter, { batchSize: BATCH });
}

/** All cars that ever sent something, in the order of their ids, so many at a time. */
export async function* carSlices({ collections }: Database, size: number): AsyncGenerator<readonly string[]> {
  const cursor = collections.twins.find({}, { projection: { _id: 1 }, batchSize: size }).sort({ _id: 1 });
  let cars: string[] = [];
  for await (const { _id } of cursor) {
    if (cars.push(_id) < size) continue;
    yield cars;
    cars = [];
  }
  if (cars.length > 0) yield cars;
}

/**
 * The readings of a stretch of time, tallied by five-minute window and car.
 * @param cars one of them or some; all when not given
 * @throws TooManyReadings
 */
export async function tallyReadings(
  { collections }: Database,
  { from, to }: { from: number; to: number },
  cars?: string | readonly string[],
  limits?: ReadLimits,
): Promise<Map<number, Tallies<string>>> {
  const windows = new Map<number, Tallies<string>>();
  const at = { $gte: new Date(from), $lt: new Date(to) };
  const filter: Filter<ReadingDocument> =
    cars === undefined ? { at } : { car: typeof cars === 'string' ? cars : { $in: cars }, at };
  const projection = {
    _id: 0,
    car: 1,
    at: 1,
    signals: 1,
    'score.value': 1,
    'score.threshold': 1,
    'score.anomalous': 1,
  };
  const options = { projection, batchSize: BATCH, ...timed(limits) };
  let left = limits?.readings ?? Number.POSITIVE_INFINITY;
  for await (const row of collections.readings.find(filter, options)) {
    if (left-- === 0) throw new TooManyReadings(`more than ${limits?.readings} readings in one stretch`);
    const start = windowStart(row.at.getTime(), 'FIVE_MINUTES');
    const ofWindow = windows.get(start) ?? new Tallies<string>();
    windows.set(start, ofWindow);
    ofWindow.of(row.car).addReading(row);
  }
  return windows;
}

/** The end of a window, not included; ms. */
export const windowEnd = (start: number, step: Step) => start + STEPS[step];

/** The figures of all cars together, out of those of each. */
export function mergeInto(fleet: Tally, cars: Tallies<string>): number {
  let count = 0;
  for (const [, tally] of cars.entries()) {
    fleet.addFigures(tally.figures());
    count += 1;
  }
  return count;
}
