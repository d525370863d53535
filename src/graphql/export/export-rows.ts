import type { Filter } from 'mongodb';
import { withinScope } from '../../access/scope.js';
import type { Viewer } from '../../access/viewer.js';
import { READ_LIMIT } from '../../fleet/fleet.js';
import { SIGNAL_NAMES } from '../../telemetry/signals.js';
import type { Collections } from '../../twin/collections.js';
import type { ReadingDocument, Twin } from '../../twin/documents.js';
import { pageBounds } from '../keyset.js';
import type { ExportPlace } from './export-cursor.js';
import type { ExportQuery } from './export-query.js';

/** Rows of one command at most: it has one time limit, so that an export of any length keeps within it. */
const STRETCH = 20_000;
/** How long MongoDB may take for such a command, ms: files are waited for longer than pages, and a busy server is no fault. */
const STRETCH_LIMIT = 60_000;
/** Rows that leave the database at a time, as bytes. */
const BATCH = 200;
/**
 * Rows that are objects at a time. So few of them die young: V8 takes them in passing, where more would live long enough to be
 * moved to the old space, which is cleared late.
 */
const SLICE = 25;
/** Cars of one command at most. */
const CARS = 200;

type Reads = Pick<Collections, 'twins' | 'readings'>;

/**
 * The readings of a query in the order (car, at, id), in slices, each read when it is asked for. Which cars a viewer may see is
 * looked up again with every stretch. Leaving the iteration closes what is open at the database.
 */
export async function* exportRows(
  collections: Reads,
  query: ExportQuery,
  viewer: Pick<Viewer, 'fleets'>,
): AsyncGenerator<readonly ReadingDocument[]> {
  let place = query.after;
  for (;;) {
    const cars = await carsBehind(collections, query, viewer, place);
    const last = cars.at(-1);
    if (last === undefined) return;
    let open: ExportPlace = { car: last, row: null };
    for (const filter of stretchesOf(cars, query, place)) {
      let rows = 0;
      let end: ReadingDocument | undefined;
      for await (const slice of slicesOf(collections, query, filter)) {
        rows += slice.length;
        end = slice.at(-1);
        yield slice;
      }
      if (rows < STRETCH || !end) continue;
      open = { car: end.car, row: { at: end.at.getTime(), id: end._id } };
      break;
    }
    place = open;
  }
}

/** The next cars by id, as many as have about one stretch of readings together, at least one. */
async function carsBehind(
  { twins }: Reads,
  { cars, fleets }: ExportQuery,
  viewer: Pick<Viewer, 'fleets'>,
  place: ExportPlace | null,
): Promise<string[]> {
  const behind = place && { _id: place.row ? { $gte: place.car } : { $gt: place.car } };
  const conditions: Filter<Twin>[] = [
    withinScope('attributes.fleet', viewer),
    cars ? { _id: { $in: [...cars] } } : {},
    fleets ? { 'attributes.fleet': { $in: [...fleets] } } : {},
    behind ?? {},
  ].filter((condition) => Object.keys(condition).length > 0);
  const found = await twins
    .find(conditions.length > 0 ? { $and: conditions } : {}, {
      projection: { _id: 1, 'counters.readings': 1 },
      maxTimeMS: READ_LIMIT,
    })
    .sort({ _id: 1 })
    .limit(CARS)
    .toArray();
  let readings = 0;
  const most = found.findIndex(({ counters }) => (readings += counters.readings) > STRETCH);
  return found.slice(0, most < 0 ? found.length : Math.max(1, most)).map(({ _id }) => _id);
}

/** The rest of the car in which the export stands, then the other cars. */
function stretchesOf(
  cars: readonly string[],
  range: ExportQuery,
  place: ExportPlace | null,
): Filter<ReadingDocument>[] {
  const begun = place?.row && cars[0] === place.car ? place : null;
  const whole = begun ? cars.slice(1) : cars;
  const rest = begun ? pageBounds('at', range, begun.row, false).map((bounds) => ({ car: begun.car, ...bounds })) : [];
  const [bounds] = pageBounds('at', range, null, false);
  const others = whole.length > 0 ? [{ car: whole.length === 1 ? whole[0] : { $in: whole }, ...bounds }] : [];
  return [...rest, ...others] as Filter<ReadingDocument>[];
}

/** A batch lies as it came until its slices are asked for; the next one is fetched behind the last of them. */
async function* slicesOf(
  { readings }: Reads,
  { signals }: ExportQuery,
  filter: Filter<ReadingDocument>,
): AsyncGenerator<ReadingDocument[]> {
  const unwanted = SIGNAL_NAMES.filter((name) => signals && !signals.includes(name));
  const projection = {
    shadows: 0,
    'score.topSignals': 0,
    ...Object.fromEntries(unwanted.map((name) => [`signals.${name}`, 0])),
  };
  const cursor = readings
    .find(filter, { projection, maxTimeMS: STRETCH_LIMIT, batchSize: BATCH, limit: STRETCH })
    .sort({ car: 1, at: 1, _id: 1 });
  try {
    while (await cursor.hasNext()) yield cursor.readBufferedDocuments(SLICE);
  } finally {
    await cursor.close();
  }
}
