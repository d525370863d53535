import type { ClientSession } from 'mongodb';
import { windowsBetween, type Step } from '../telemetry/window.js';
import { rollupsOf } from '../twin/collections.js';
import type { Database } from '../twin/database.js';
import type { CarRollupDocument, Figures, FleetRollupDocument, RollupMarkDocument } from '../twin/rollup-documents.js';
import { markWindows, windowId } from '../twin/rollup-marks.js';
import { Tallies, Tally } from './tally.js';
import { carRollupId, carSlices, carsOfRun, fleetRollups, tallyReadings, under, windowEnd } from './windows-read.js';

/** How long a run may be under way before it counts as given up; ms. */
const GIVEN_UP = 3_600_000;
/** How long a replaced run stays for whoever is reading it; ms. */
const STILL_READ = 60_000;
const GROUP = 500;
/** Ids in one `$in`: larger ones are slower per id. */
const SLICE = 500;

export interface RollUpContext {
  readonly database: Database;
  /** ms */
  readonly now: number;
  /** A name that no other run has. */
  readonly run: string;
  /** Windows that begin before this have lost what they were computed from, or are about to; ms. */
  readonly keptBefore: number;
  /** Cars whose figures are gathered at a time; 500 when not given. */
  readonly slice?: number;
}

/**
 * Computes the rollups of a window and takes its marks off, both or neither. A run's documents are written beside those of
 * the run before; one transaction then makes it the window's, if the marks are still the ones that were seen. So whoever
 * dies or is overtaken on the way changed nothing, and what comes in meanwhile leaves a mark.
 * @returns false when the window has to be computed again
 */
export async function rollUp(
  step: Step,
  start: number,
  marks: readonly RollupMarkDocument[],
  context: RollUpContext,
): Promise<boolean> {
  const { database, now, run, keptBefore } = context;
  const before = (await fleetRollups(database, step, [start])).get(start) ?? null;
  if (before && start < keptBefore) {
    const fleet = await fleetOf(database, step, before);
    return switchRun(step, { ...fleet, computedAt: new Date(now) }, before, marks, context);
  }
  const runId = `${step}/${windowId(start)}/${run}`;
  await database.collections.rollupRuns.insertOne({
    _id: runId,
    at: new Date(start),
    dueAt: new Date(now + GIVEN_UP),
  });
  const fleet = await writeCars(step, start, context);
  return switchRun(step, fleet, before, marks, context);
}

/** Removes the documents of runs that were replaced or given up. */
export async function sweepRuns(database: Database, now: number): Promise<void> {
  const { rollupRuns } = database.collections;
  for (const { _id } of await rollupRuns.find({ dueAt: { $lte: new Date(now) } }).toArray()) {
    const [step, ...rest] = _id.split('/');
    await rollupsOf(database.collections, step === 'HOUR' ? 'HOUR' : 'FIVE_MINUTES').deleteMany({
      _id: under(rest.join('/')),
    });
    await rollupRuns.deleteOne({ _id });
  }
}

/**
 * The figures of the window's cars, a slice of the fleet after the other, so that memory does not grow with it. An hour is put
 * together from its five-minute windows; one of those that was never computed, from its readings.
 */
async function* figuresOfCars(
  step: Step,
  start: number,
  { database, slice = SLICE }: RollUpContext,
): AsyncGenerator<[car: string, figures: Figures]> {
  const parts = windowsBetween(start, windowEnd(start, step), 'FIVE_MINUTES');
  const computed = step === 'HOUR' ? await fleetRollups(database, 'FIVE_MINUTES', parts) : new Map<number, never>();
  for await (const cars of carSlices(database, slice)) {
    const tallies = new Tallies<string>();
    for (const part of parts) await gather(database, part, computed.get(part), cars, tallies);
    for (const [car, tally] of tallies.entries()) yield [car, tally.figures()];
  }
}

async function gather(
  database: Database,
  part: number,
  window: FleetRollupDocument | undefined,
  cars: readonly string[],
  into: Tallies<string>,
): Promise<void> {
  if (window) {
    for await (const document of carsOfRun(database, 'FIVE_MINUTES', window, cars))
      if ('car' in document) into.of(document.car).addFigures(document);
    return;
  }
  const stretch = { from: part, to: windowEnd(part, 'FIVE_MINUTES') };
  for (const [, tallies] of await tallyReadings(database, stretch, cars))
    for (const [car, tally] of tallies.entries()) into.of(car).addFigures(tally.figures());
}

async function writeCars(step: Step, start: number, context: RollUpContext): Promise<FleetRollupDocument> {
  const { database, run, now } = context;
  const fleet = new Tally();
  let group: CarRollupDocument[] = [];
  let count = 0;
  const at = new Date(start);
  const write = async () => {
    if (group.length > 0) await rollupsOf(database.collections, step).insertMany(group);
    group = [];
  };
  for await (const [car, figures] of figuresOfCars(step, start, context)) {
    fleet.addFigures(figures);
    count += 1;
    if (group.push({ _id: carRollupId(start, run, car), car, at, ...figures }) === GROUP) await write();
  }
  await write();
  return { _id: windowId(start), at, run, cars: count, computedAt: new Date(now), ...fleet.figures() };
}

/** The fleet anew from the cars that a window keeps: one of them may have been erased. */
async function fleetOf(
  database: Database,
  step: Step,
  { _id, at, run, computedAt }: FleetRollupDocument,
): Promise<FleetRollupDocument> {
  const fleet = new Tally();
  let cars = 0;
  for await (const document of carsOfRun(database, step, { at, run })) {
    fleet.addFigures(document);
    cars += 1;
  }
  return { _id, at, run, cars, computedAt, ...fleet.figures() };
}

class Overtaken extends Error {}

async function switchRun(
  step: Step,
  fleet: FleetRollupDocument,
  before: FleetRollupDocument | null,
  marks: readonly RollupMarkDocument[],
  { database, now }: RollUpContext,
): Promise<boolean> {
  const { collections, client } = database;
  const work = async (session: ClientSession) => {
    if (before?.run !== fleet.run) await noteRuns(database, step, fleet, before, now, session);
    await rollupsOf(collections, step).replaceOne({ _id: fleet._id }, fleet, { upsert: true, session });
    if (step === 'FIVE_MINUTES') await markWindows(database, 'rollup', [fleet], session, 'HOUR');
    // Last: whoever writes readings of the window waits for these, for a minute where this process is killed meanwhile.
    await takeMarks(database, marks, session);
  };
  try {
    await client.withSession((session) => session.withTransaction(() => work(session)));
    return true;
  } catch (error) {
    if (error instanceof Overtaken) return false;
    throw error;
  }
}

/** @throws Overtaken when one of the marks was renewed or taken since it was seen */
async function takeMarks(
  { collections }: Database,
  marks: readonly RollupMarkDocument[],
  session: ClientSession,
): Promise<void> {
  const operations = marks.map(({ _id, stamp }) => ({ deleteOne: { filter: { _id, stamp } } }));
  const { deletedCount } = await collections.rollupMarks.bulkWrite(operations, { session });
  if (deletedCount < marks.length) throw new Overtaken();
}

/** This run is no longer one to be removed; the one before is. */
async function noteRuns(
  { collections }: Database,
  step: Step,
  { _id, at, run }: FleetRollupDocument,
  before: FleetRollupDocument | null,
  now: number,
  session: ClientSession,
): Promise<void> {
  const { deletedCount } = await collections.rollupRuns.deleteOne({ _id: `${step}/${_id}/${run}` }, { session });
  if (deletedCount === 0) throw new Overtaken();
  if (!before) return;
  const replaced = { _id: `${step}/${_id}/${before.run}`, at, dueAt: new Date(now + STILL_READ) };
  await collections.rollupRuns.insertOne(replaced, { session });
}
