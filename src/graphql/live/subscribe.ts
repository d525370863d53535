import type { Viewer } from '../../access/viewer.js';
import { carMatches, filterKey } from '../../fleet/car-filter.js';
import type { DatedSummary, Fleet } from '../../fleet/fleet.js';
import type { Database } from '../../twin/database.js';
import type { Twin } from '../../twin/documents.js';
import { ApiError } from '../api-error.js';
import { apiErrorOf } from '../error-format.js';
import { checkExpiry } from '../guard/operation-guard.js';
import type { AnomalyEventsArgs, CarUpdatesArgs, FleetUpdatesArgs } from '../live.args.js';
import type { Loaders } from '../loaders.js';
import { scopedFilter } from '../scoped-filter.js';
import { type AnomalyItem, AnomalySubscription } from './anomaly-subscription.js';
import { carPlace } from './car-place.js';
import { type CarItem, CarSubscription } from './car-subscription.js';
import { eventInterest } from './event-filter.js';
import { eventPlace, partitionsBehind } from './heads.js';
import type { FeedUse } from './feed-use.js';
import { type ItemSource, ItemStream } from './item-stream.js';
import type { LiveFeeds } from './live-feeds.js';
import { readPlace } from './store-place.js';

/** Who subscribes, and how its connection is ended when nothing else helps. */
export interface Subscriber {
  readonly viewer: Viewer;
  readonly cut: () => void;
}

/** Slowest and fastest pace of one subscriber, cars a second. */
const RATES = { least: 0.001, most: 1_000 } as const;
/** s */
const INTERVALS = { least: 1, most: 3_600 } as const;

/** @throws ApiError BAD_CURSOR, BAD_ARGUMENT before MongoDB is asked; UNAVAILABLE when the feed does not come to stand */
export async function subscribeAnomalies(
  feeds: LiveFeeds,
  database: Database,
  { filter, after: cursor }: AnomalyEventsArgs,
  subscriber: Subscriber,
): Promise<AsyncIterableIterator<AnomalyItem>> {
  const after = cursor ? eventPlace(cursor) : null;
  const interest = eventInterest(filter ?? {}, subscriber.viewer);
  return entered(feeds, subscriber, feeds.anomalies.use, async (notify) => {
    const now = after ? await readPlace(database) : null;
    // A partition that has had fewer events than the cursor counts has another history.
    const setBack =
      after !== null && now?.storeId === after.storeId && partitionsBehind(now.heads, after.heads).length > 0;
    return new AnomalySubscription(feeds.anomalies, database, { interest, after, setBack, notify });
  });
}

/** @throws ApiError as above, and BAD_RANGE */
export async function subscribeCars(
  { feeds, loaders, fleet }: { feeds: LiveFeeds; loaders: Loaders; fleet: Fleet },
  { filter, maxRate = null, after: cursor }: CarUpdatesArgs,
  subscriber: Subscriber,
): Promise<AsyncIterableIterator<CarItem>> {
  const after = cursor ? carPlace(cursor) : null;
  if (maxRate !== null && (maxRate < RATES.least || maxRate > RATES.most))
    throw new ApiError('BAD_ARGUMENT', `maxRate is from ${RATES.least} to ${RATES.most} a second`);
  const scoped = scopedFilter(filter, subscriber.viewer);
  const name = filterKey(scoped);
  const matches = (twin: Twin) => carMatches(twin, scoped, fleet.edges());
  const interest = { name, cars: scoped.ids ?? null, matches };
  return entered(feeds, subscriber, feeds.cars.use, async (notify) => {
    const read = (some: readonly string[]) => Promise.all(some.map((id) => loaders.cars.load(id)));
    if (after && !feeds.cars.since(after)) await feeds.cars.recall(after);
    return new CarSubscription(feeds.cars, { interest, maxRate, after, read, notify });
  });
}

/** @throws ApiError BAD_ARGUMENT */
export async function subscribeFleet(
  feeds: LiveFeeds,
  { every }: FleetUpdatesArgs,
  subscriber: Subscriber,
): Promise<AsyncIterableIterator<DatedSummary>> {
  if (every < INTERVALS.least || every > INTERVALS.most)
    throw new ApiError('BAD_ARGUMENT', `every is from ${INTERVALS.least} to ${INTERVALS.most} s`);
  const { fleets } = subscriber.viewer;
  return entered(feeds, subscriber, null, async (notify) => feeds.fleet.subscribe(fleets, every, notify));
}

type Make<T> = (notify: () => void) => Promise<ItemSource<T>>;

/** A stream that is counted from the first moment on, until it ends or does not come to be. */
async function entered<T>(
  feeds: LiveFeeds,
  subscriber: Subscriber,
  use: FeedUse | null,
  make: Make<T>,
): Promise<ItemStream<T>> {
  const release = feeds.admit(subscriber.viewer);
  try {
    return await opened(feeds, subscriber, { use, make, release });
  } catch (fault) {
    release();
    throw fault;
  }
}

/** A stream over a source that was made once the feed stands; the feed is left when the stream ends. */
async function opened<T>(
  feeds: LiveFeeds,
  { viewer, cut }: Subscriber,
  { use, make, release }: { use: FeedUse | null; make: Make<T>; release: () => void },
): Promise<ItemStream<T>> {
  await use?.enter().catch(rethrown);
  let stream: ItemStream<T> | null = null;
  const source = await make(() => stream?.notify()).catch((fault: unknown) => {
    use?.leave();
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
      release();
    },
  });
  stream = made;
  feeds.add(made, cut);
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
