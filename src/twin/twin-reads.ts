import type { Reading } from '../telemetry/reading.js';
import { KnownReadings, sentAt } from './arrival.js';
import type { AttributesVersion, CarAttributes } from './car-documents.js';
import type { Database } from './database.js';
import type { EpisodeEventDocument, PositionDocument, ReadingDocument, Twin } from './documents.js';
import { eventId, readingId } from './ids.js';
import { storeFaultOf } from './store-fault.js';

/** Ids in one `$in`, cars in one `$or`: larger ones are slower per id. */
const GROUP = 500;

/** What the store knows of a car. */
export interface CarState {
  readonly twin: Twin | null;
  /** The tombstone left by an erase, ms. */
  readonly erasedUpTo: number | null;
  /** Revision of the erased twin; 0 where none was. */
  readonly erasedRevision: number;
  /** What was said of a car that has no twin yet; null for nothing. Not looked up where there is a twin: that has a copy. */
  readonly attributes: AttributesVersion | null;
}

export const UNKNOWN_CAR: CarState = { twin: null, erasedUpTo: null, erasedRevision: 0, attributes: null };

export function attributesOf(state: CarState | undefined): CarAttributes | undefined {
  return state?.twin ? state.twin.attributes : state?.attributes?.values;
}

/**
 * Twins and tombstones of the cars, as a majority has them.
 * @throws StoreFault
 */
export async function loadCars({ collections }: Database, cars: readonly string[]): Promise<Map<string, CarState>> {
  const found = new Map<string, CarState>();
  try {
    for (const ids of groupsOf(cars, GROUP)) {
      const filter = { _id: { $in: ids } };
      const [twins, tombstones] = await Promise.all([
        collections.twins.find(filter).toArray(),
        collections.tombstones.find(filter).toArray(),
      ]);
      const twinOf = new Map(twins.map((twin) => [twin._id, twin]));
      const unseen = ids.filter((id) => !twinOf.has(id));
      const said = unseen.length === 0 ? [] : await collections.cars.find({ _id: { $in: unseen } }).toArray();
      const saidOf = new Map(said.map((car) => [car._id, car.attributes ?? null]));
      const tombstoneOf = new Map(tombstones.map((tombstone) => [tombstone._id, tombstone]));
      for (const id of ids) {
        const tombstone = tombstoneOf.get(id);
        const erased = { erasedUpTo: tombstone?.upTo.getTime() ?? null, erasedRevision: tombstone?.revision ?? 0 };
        found.set(id, { twin: twinOf.get(id) ?? null, ...erased, attributes: saidOf.get(id) ?? null });
      }
    }
  } catch (error) {
    throw storeFaultOf(error);
  }
  return found;
}

/** Readings to look for in the history: among the rows of their time, or among those stored under another time. */
export interface Wanted {
  readonly byTime: readonly Reading[];
  readonly bySkewedTime: readonly Reading[];
}

/**
 * Which of these readings the history holds already, by car, the time that the car sent, and the hash of the signals.
 * @throws StoreFault
 */
export async function findKnown({ collections }: Database, wanted: Wanted): Promise<KnownReadings> {
  const known = new KnownReadings();
  const note = (row: Pick<ReadingDocument, 'car' | 'at' | 'skewedAt' | 'hash'>) =>
    known.add(row.car, (row.skewedAt ?? row.at).getTime(), row.hash);
  const projection = { _id: 0, car: 1, at: 1, skewedAt: 1, hash: 1 };
  try {
    for (const group of groupsOf([...timesByCar(wanted.byTime)], GROUP)) {
      const filter = { $or: group.map(([car, times]) => ({ car, at: { $in: times } })) };
      for await (const row of collections.readings.find(filter, { projection })) note(row);
    }
    for (const [car, times] of timesByCar(wanted.bySkewedTime))
      for await (const row of collections.readings.find({ skewedAt: { $in: times }, car }, { projection })) note(row);
  } catch (error) {
    throw storeFaultOf(error);
  }
  return known;
}

/** Rows whose prediction is not known to be published, in the order of their offsets. */
export function unpublishedReadings(
  { collections }: Database,
  topic: string,
  partition: number,
  { incarnation, published, next }: PositionDocument,
): AsyncIterable<ReadingDocument> {
  const from = readingId(topic, incarnation, partition, published);
  const to = readingId(topic, incarnation, partition, next);
  return collections.readings.find({ _id: { $gte: from, $lt: to } }).sort({ _id: 1 });
}

/** Events that are not known to be published, in their order. */
export function unpublishedEvents(
  { collections }: Database,
  { _id, eventsPublished, eventSequence }: PositionDocument,
): AsyncIterable<EpisodeEventDocument> {
  const filter = { _id: { $gt: eventId(_id, eventsPublished), $lte: eventId(_id, eventSequence) } };
  return collections.events.find(filter).sort({ _id: 1 });
}

function timesByCar(readings: readonly Reading[]): Map<string, Date[]> {
  const times = new Map<string, Date[]>();
  for (const reading of readings) {
    const time = new Date(sentAt(reading));
    const list = times.get(reading.car);
    if (list) list.push(time);
    else times.set(reading.car, [time]);
  }
  return times;
}

function groupsOf<T>(items: readonly T[], size: number): T[][] {
  const groups: T[][] = [];
  for (let start = 0; start < items.length; start += size) groups.push(items.slice(start, start + size));
  return groups;
}
