import type { Viewer } from '../access/viewer.js';
import type { ScopedFilter } from '../fleet/car-filter.js';
import type { Fleet } from '../fleet/fleet.js';
import type { Place, RankingOrder } from '../fleet/ranking.js';
import type { Twin } from '../twin/documents.js';
import { ApiError } from './api-error.js';
import type { CarOrderInput, CarsArgs } from './car.args.js';
import { carModel, type Car } from './car.model.js';
import { type Connection, pageOf, pageSize } from './connection.js';
import { decodeCursor, encodeCursor, isId, isTime } from './cursor.js';
import type { Loaders } from './loaders.js';
import { twinFor } from './seen-by.js';
import { scopedFilter } from './scoped-filter.js';

const BY_ID: CarOrderInput = { field: 'ID', direction: 'ASC' };

export interface CarsPage extends Connection<Car> {
  readonly filter: ScopedFilter;
}

/**
 * A page of cars: the places come out of a ranking and the cars themselves by id, so that they are shown as they are now.
 * @throws ApiError BAD_CURSOR, BAD_ARGUMENT, PAGE_TOO_LARGE
 */
export async function carsPage(fleet: Fleet, loaders: Loaders, args: CarsArgs, viewer: Viewer): Promise<CarsPage> {
  const count = pageSize(args.first);
  const order = args.orderBy ?? BY_ID;
  const filter = scopedFilter(args.filter, viewer);
  const after = args.after ? placeOf(args.after, order) : null;
  const edges = fleet.edges();
  const places = await fleet.ranking(filter, rankingOf(order), after, count + 1);
  const shown = places.slice(0, count);
  const rows = await rowsOf(loaders, shown, viewer);
  const entry = ({ twin, place }: Row) => ({ cursor: cursorOf(place, order), node: carModel(twin, edges) });
  const last = shown.at(-1);
  const end = last ? cursorOf(last, order) : null;
  return { ...pageOf(rows, count, entry, { started: after !== null, more: places.length > count, end }), filter };
}

interface Row {
  readonly twin: Twin;
  readonly place: Place;
}

const rankingOf = ({ field, direction }: CarOrderInput): RankingOrder => ({ by: field, direction });

/** A car that was erased, or left what the viewer may see, since the ranking was made is left out; the page ends behind it. */
async function rowsOf(loaders: Loaders, places: readonly Place[], viewer: Viewer): Promise<Row[]> {
  const twins = await Promise.all(places.map(({ id }) => twinFor(viewer, loaders, id)));
  return places.flatMap((place, index) => {
    const twin = twins[index];
    return twin ? [{ twin, place }] : [];
  });
}

function cursorOf(place: Place, { field, direction }: CarOrderInput): string {
  return encodeCursor(['cars', field, direction, place.value, place.id]);
}

const isPlace = (parts: unknown[]): parts is [string, string, number | null, string] =>
  parts.length === 4 && (parts[2] === null || Number.isFinite(parts[2])) && isId(parts[3]);

function placeOf(cursor: string, order: CarOrderInput): Place {
  const [field, direction, value, id] = decodeCursor(cursor, 'cars', isPlace);
  if (field !== order.field || direction !== order.direction)
    throw new ApiError('BAD_CURSOR', 'The cursor belongs to another order');
  if ((field === 'LAST_SEEN' && !isTime(value)) || (field === 'ID' && value !== null)) throw new ApiError('BAD_CURSOR');
  return { value, id };
}
