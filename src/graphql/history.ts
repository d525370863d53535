import type { Collection, Document, Filter } from 'mongodb';
import { READ_LIMIT } from '../fleet/fleet.js';
import { SIGNAL_NAMES, type SignalName } from '../telemetry/signals.js';
import { type Cut, piecesOf } from './batch-loader.js';
import { type TimeRange, type TimedPlace, pageBounds } from './keyset.js';

/** Pages that go into one command, and rows that they may have together. */
const PAGES = 100;
const ROWS = 50_000;
/** So few pages, of requests that came at the same time, are read side by side. */
const FEW = 4;

/** What is read so: documents of cars with an instant, by an index on (car, at, _id). */
interface TimedRow {
  readonly _id: string;
  readonly car: string;
  readonly at: Date;
}

/** A page of one car's history in the order of (at, _id); backwards pages come newest first. */
export interface HistoryPage {
  readonly car: string;
  readonly range: TimeRange;
  readonly place: TimedPlace | null;
  readonly backwards: boolean;
  readonly limit: number;
  /** The signals that are read, of readings; all when null. */
  readonly signals?: readonly SignalName[] | null;
}

/** Pages that are read with one command each: no request is refused for what others ask at the same moment. */
export const pagesAtOnce: Cut<HistoryPage> = (pages) =>
  piecesOf(pages, { keys: PAGES, weight: ROWS }, ({ limit }) => limit);

/** A plain find takes its order from the index on every server; SecantusDB reads all rows for a branch of a `$unionWith`. */
async function readOne<T extends TimedRow>(readings: Collection<T>, page: HistoryPage): Promise<T[]> {
  const { car, range, place, backwards, limit, signals } = page;
  const step = backwards ? -1 : 1;
  const rows: T[] = [];
  for (const bounds of pageBounds('at', range, place, backwards)) {
    const filter = { car, ...bounds } as Filter<T>;
    const projection = signals ? Object.fromEntries(unwanted(signals).map((name) => [name, 0])) : {};
    const found = readings.find(filter, { projection, maxTimeMS: READ_LIMIT }).sort({ at: step, _id: step });
    rows.push(...((await found.limit(limit - rows.length).toArray()) as T[]));
    if (rows.length >= limit) break;
  }
  return rows;
}

/**
 * The rows of pages: of many with one command, a branch of a `$unionWith` for each index range, limited for itself.
 * @param pages as many as `pagesAtOnce` gives
 */
export async function readHistories<T extends TimedRow>(
  readings: Collection<T>,
  pages: readonly HistoryPage[],
): Promise<T[][]> {
  if (pages.length <= FEW) return Promise.all(pages.map((page) => readOne(readings, page)));
  const answers: T[][] = pages.map(() => []);
  for (const row of await readGroup(readings, pages)) answers[row.page]?.push(row);
  return answers.map((rows, index) => rows.slice(0, pages[index]?.limit));
}

type Paged<T> = T & { page: number };

async function readGroup<T extends TimedRow>(
  readings: Collection<T>,
  pages: readonly HistoryPage[],
): Promise<Paged<T>[]> {
  const [first, ...others] = pages.flatMap((page, index) => branchesOf(page, index));
  if (!first) return [];
  const unions = others.map((pipeline) => ({ $unionWith: { coll: readings.collectionName, pipeline } }));
  return await readings.aggregate<Paged<T>>([...first, ...unions], { maxTimeMS: READ_LIMIT }).toArray();
}

function branchesOf({ car, range, place, backwards, limit, signals }: HistoryPage, page: number): Document[][] {
  const step = backwards ? -1 : 1;
  return pageBounds('at', range, place, backwards).map((bounds) => [
    { $match: { car, ...bounds } },
    { $sort: { car: step, at: step, _id: step } },
    { $limit: limit },
    { $addFields: { page: { $literal: page } } },
    ...(signals ? [{ $unset: unwanted(signals) }] : []),
  ]);
}

/** At least one name, as the database wants it. */
function unwanted(signals: readonly SignalName[]): string[] {
  return ['signals.none', ...SIGNAL_NAMES.filter((name) => !signals.includes(name)).map((name) => `signals.${name}`)];
}
