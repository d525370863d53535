import { seesFleet } from '../../access/scope.js';
import type { Viewer } from '../../access/viewer.js';
import { carMatches } from '../../fleet/car-filter.js';
import type { Fleet } from '../../fleet/fleet.js';
import { isCarId } from '../../telemetry/car-id.js';
import type { Database } from '../../twin/database.js';
import type { EpisodeEventDocument } from '../../twin/documents.js';
import { ApiError } from '../api-error.js';
import { apiErrorOf } from '../error-format.js';
import { checkExpiry } from '../guard/operation-guard.js';
import type { AnomalyEventFilterInput, AnomalyEventsArgs, CarUpdatesArgs } from '../live.args.js';
import type { Loaders } from '../loaders.js';
import { scopedFilter } from '../scoped-filter.js';
import { type AnomalyItem, AnomalySubscription } from './anomaly-subscription.js';
import { carPlace } from './car-feed.js';
import { type CarItem, CarSubscription } from './car-subscription.js';
import { eventPlace, partitionsBehind } from './heads.js';
import { type ItemSource, ItemStream } from './item-stream.js';
import type { LiveFeeds } from './live-feeds.js';
import { readPlace } from './store-place.js';

/** @throws ApiError BAD_CURSOR, BAD_ARGUMENT before MongoDB is asked; UNAVAILABLE when the feed does not come to stand */
export async function subscribeAnomalies(
  feeds: LiveFeeds,
  database: Database,
  { filter, after: cursor }: AnomalyEventsArgs,
  viewer: Viewer,
): Promise<AsyncIterableIterator<AnomalyItem>> {
  const after = cursor ? eventPlace(cursor) : null;
  if (filter?.car != null && !isCarId(filter.car)) throw new ApiError('BAD_ARGUMENT', 'That is not a car id');
  return entered(feeds, viewer, feeds.anomalies, async (notify) => {
    const now = after ? await readPlace(database) : null;
    // A partition that has had fewer events than the cursor counts has another history.
    const setBack =
      after !== null && now?.storeId === after.storeId && partitionsBehind(now.heads, after.heads).length > 0;
    const matches = (event: EpisodeEventDocument) =>
      seesFleet(viewer, event.fleet) && eventMatches(event, filter ?? {});
    return new AnomalySubscription(feeds.anomalies, database, { matches, after, setBack, notify });
  });
}

/** @throws ApiError as above */
export async function subscribeCars(
  { feeds, loaders, fleet }: { feeds: LiveFeeds; loaders: Loaders; fleet: Fleet },
  { filter, after: cursor }: CarUpdatesArgs,
  viewer: Viewer,
): Promise<AsyncIterableIterator<CarItem>> {
  const after = cursor ? carPlace(cursor) : null;
  const scoped = scopedFilter(filter, viewer);
  const ids = scoped.ids ? new Set(scoped.ids) : null;
  return entered(feeds, viewer, feeds.cars, async (notify) => {
    const read = (some: readonly string[]) => Promise.all(some.map((id) => loaders.cars.load(id)));
    const mayMatch = (id: string) => !ids || ids.has(id);
    const matches = (twin: Parameters<typeof carMatches>[0]) =>
      mayMatch(twin._id) && carMatches(twin, { ...scoped, ids: null }, fleet.edges());
    return new CarSubscription(feeds.cars, { matches, mayMatch, after, read, notify });
  });
}

/** A stream over a source that was made once the feed stands; the feed is left when the stream ends. */
async function entered<T>(
  feeds: LiveFeeds,
  viewer: Viewer,
  { use }: LiveFeeds['anomalies'] | LiveFeeds['cars'],
  make: (notify: () => void) => Promise<ItemSource<T>>,
): Promise<ItemStream<T>> {
  feeds.admit(viewer);
  await use.enter().catch(rethrown);
  let stream: ItemStream<T> | null = null;
  const source = await make(() => stream?.notify()).catch((fault: unknown) => {
    use.leave();
    return rethrown(fault);
  });
  const made = new ItemStream<T>({
    take: () => {
      checkExpiry(viewer, Date.now());
      return source.take().catch(rethrown);
    },
    close: () => {
      source.close();
      expiry.clear();
      feeds.remove(made);
    },
  });
  stream = made;
  feeds.add(made, viewer);
  const expiry = atExpiry(viewer, () => made.notify());
  return made;
}

/** Longest that a timer can be set to, ms. */
const LONGEST_TIMER = 2 ** 31 - 1;
/** A timer may fire before its time is over, ms. */
const TIMER_EARLY = 20;

/** Wakes a stream whose viewer's token expires, which then ends. */
function atExpiry({ expiresAt }: Viewer, wake: () => void): { clear(): void } {
  if (expiresAt === null) return { clear: () => undefined };
  const timer = setTimeout(wake, Math.min(LONGEST_TIMER, Math.max(0, expiresAt - Date.now()) + TIMER_EARLY));
  return { clear: () => clearTimeout(timer) };
}

/** What GraphQL's subscriptions say of a fault goes to the client as it is. */
function rethrown(fault: unknown): never {
  throw apiErrorOf(fault);
}

function eventMatches(event: EpisodeEventDocument, filter: AnomalyEventFilterInput): boolean {
  const { car, kind, severity, event: types, snoozed } = filter;
  return (
    (car == null || car === event.car) &&
    (!kind || kind.includes(event.kind)) &&
    (!severity || severity.includes(event.severity)) &&
    (!types || types.includes(event.event)) &&
    (snoozed == null || snoozed === (event.snoozedUntil !== undefined))
  );
}
