import type { Database } from './database.js';
import type { ErasureDocument, Removed } from './erasure-documents.js';

/** Somebody wants a car forgotten; asked for again, it is forgotten again, up to then. Ingest does it within a second or so. */
export async function requestErasure({ collections }: Database, car: string, now: Date): Promise<ErasureDocument> {
  const request = { upTo: now, requestedAt: now, doneAt: null };
  const asked = await collections.erasures.findOneAndUpdate(
    { _id: car },
    { $set: request, $unset: { removed: true } },
    { upsert: true, returnDocument: 'after' },
  );
  return asked ?? { _id: car, ...request };
}

/**
 * Notes, once and before anything is removed, what of a car is there to be removed: whoever is killed in between, the
 * receipt says all of it.
 * @param before event time, not included
 */
export async function noteRemoved({ collections }: Database, car: string, before: Date): Promise<void> {
  const open = { _id: car, doneAt: null, removed: { $exists: false } } as const;
  if ((await collections.erasures.countDocuments(open)) === 0) return;
  const earlier = { car, at: { $lt: before } };
  const { twins, cars, readings, anomalies, events, handlings, rollupsFiveMinutes, rollupsHour, commands } =
    collections;
  const counts = await Promise.all([
    twins.countDocuments({ _id: car }),
    cars.countDocuments({ _id: car }),
    readings.countDocuments(earlier),
    anomalies.countDocuments({ car }),
    events.countDocuments({ car }),
    handlings.countDocuments({ car }),
    rollupsFiveMinutes.countDocuments(earlier),
    rollupsHour.countDocuments(earlier),
    commands.countDocuments({ car }),
  ]);
  const [twin, said, rows, episodes, told, handled, minutes, hours, sent] = counts;
  const removed: Removed = {
    twins: twin,
    attributes: said,
    readings: rows,
    anomalies: episodes,
    events: told,
    handlings: handled,
    rollups: minutes + hours,
    commands: sent,
  };
  await collections.erasures.updateOne(open, { $set: { removed } });
}
