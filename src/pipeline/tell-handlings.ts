import type { Twin } from '../twin/documents.js';
import { handlingEvents, snoozed } from '../twin/handling-events.js';
import { commitBetween } from './between-batches.js';
import type { Holding } from './holding.js';
import type { Workshop } from './workshop.js';

/** Most of one partition in one round, and so in one transaction. */
export const MOST_TOLD = 500;

/**
 * Makes events of what people did with episodes of the partition's cars, and removes what was waiting, in one transaction: each
 * is told once, in the order of the car's other events.
 * @param ids of documents that waited a moment ago, at most MOST_TOLD
 * @returns how many were told
 */
export async function tellHandlings(
  holding: Holding,
  ids: readonly string[],
  workshop: Workshop,
  signal: AbortSignal,
): Promise<number> {
  const { collections } = workshop.stages.database;
  await holding.publishBacklog(signal);
  // Only this writer removes them: what is there now is there until it is told.
  const documents = await collections.handlings
    .find({ _id: { $in: [...ids] } })
    .sort({ _id: 1 })
    .toArray();
  if (documents.length === 0) return 0;
  const projection = { kind: 1, severity: 1, openedAt: 1, peak: 1, fleet: 1 } as const;
  const wanted = { _id: { $in: documents.map(({ episode }) => episode) } };
  const episodes = await collections.anomalies.find(wanted, { projection }).toArray();
  const known = new Map(episodes.map((episode) => [episode._id, episode]));
  const events = handlingEvents(documents, known, holding.position, new Date(workshop.stages.clock()));
  const told = documents.map(({ _id }) => _id);
  const eventSequence = holding.position.eventSequence + events.length;
  const twins = await sleepers(holding, documents);
  await commitBetween(holding, { events, eventSequence, twins, told }, workshop, signal);
  return events.length;
}

/** The twins whose open episodes were snoozed or woken. */
async function sleepers(holding: Holding, documents: readonly Parameters<typeof snoozed>[1][]) {
  const snoozes = documents.filter(({ entry }) => entry.event === 'SNOOZED');
  if (snoozes.length === 0) return [];
  const cars = await holding.cars.get(snoozes.map(({ car }) => car));
  const writes: { from: number; twin: Twin }[] = [];
  for (const [car, { twin }] of cars) {
    if (!twin) continue;
    const after = snoozes.filter((one) => one.car === car).reduce(snoozed, twin);
    if (after !== twin) writes.push({ from: twin.revision, twin: { ...after, revision: twin.revision + 1 } });
  }
  return writes;
}
