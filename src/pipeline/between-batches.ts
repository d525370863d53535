import { applyClock } from '../twin/apply-reading.js';
import { PendingCommit, type BatchWrite } from '../twin/commit-batch.js';
import type { Twin } from '../twin/documents.js';
import type { EpisodeChange } from '../twin/episode-step.js';
import { foldEpisodeChanges } from '../twin/episode-writes.js';
import { eraseHistory } from '../twin/erase-history.js';
import { fallSilent } from '../twin/silence.js';
import { UNKNOWN_CAR } from '../twin/twin-reads.js';
import { Fenced, type Holding } from './holding.js';
import { patiently, type Workshop } from './workshop.js';

/** A batch without records: the same transaction, the epoch matched, `next` where it was. */
function emptyBatch({ position }: Holding): BatchWrite {
  const { next, last, eventSequence } = position;
  return {
    before: position,
    next,
    last,
    eventSequence,
    counted: {},
    readings: [],
    twins: [],
    episodes: [],
    events: [],
  };
}

/**
 * The timed downgrade: cars of the partition whose open episodes did not reach their severity for long enough.
 * @returns how many episodes were downgraded
 */
export async function downgradeEpisodes(holding: Holding, workshop: Workshop, signal: AbortSignal): Promise<number> {
  const { database, rules, clock } = workshop.stages;
  const open = { status: 'ANOMALOUS', 'source.topic': holding.topic, 'source.partition': holding.partition } as const;
  const cars: string[] = [];
  for await (const twin of database.collections.twins.find(open))
    if (applyClock(twin, clock(), rules).changes.length > 0) cars.push(twin._id);
  if (cars.length === 0) return 0;
  await holding.publishBacklog(signal);
  const now = clock();
  const clocked: Clocked[] = [];
  for (const [, { twin }] of await holding.cars.get(cars)) {
    const applied = twin && applyClock(twin, now, rules);
    if (twin && applied?.twin && applied.changes.length > 0)
      clocked.push({ before: twin, after: applied.twin, changes: applied.changes });
  }
  return commitClocked(holding, clocked, now, workshop, signal);
}

export interface Silence {
  /** The instant of the round, ms. */
  readonly now: number;
  /** ms without anything new */
  readonly after: number;
  /** End of the partition's log, asked for at `now` or later. */
  readonly high: number;
}

/**
 * Opens the episodes of cars of the partition that fell silent. Nothing is opened before the log has been applied up to
 * where it ended at that instant: what is missed may lie there.
 * @param cars at most MOST_SILENT
 * @returns how many were opened
 */
export async function openSilences(
  holding: Holding,
  cars: readonly string[],
  { now, after, high }: Silence,
  workshop: Workshop,
  signal: AbortSignal,
): Promise<number> {
  if (high > holding.position.next) return 0;
  await holding.publishBacklog(signal);
  const clocked: Clocked[] = [];
  for (const [, { twin }] of await holding.cars.get(cars)) {
    const silent = twin && fallSilent(twin, now, after);
    if (twin && silent) clocked.push({ before: twin, after: silent.twin, changes: [silent.change] });
  }
  return commitClocked(holding, clocked, now, workshop, signal);
}

/** A twin and its episodes as a timer changed them. */
interface Clocked {
  readonly before: Twin;
  readonly after: Twin;
  readonly changes: readonly EpisodeChange[];
}

/** @returns how many events came of it */
async function commitClocked(
  holding: Holding,
  clocked: readonly Clocked[],
  now: number,
  workshop: Workshop,
  signal: AbortSignal,
): Promise<number> {
  if (clocked.length === 0) return 0;
  const { _id, next: offset, eventSequence: sequence } = holding.position;
  const twins = clocked.map(({ before: { revision }, after }) => ({
    from: revision,
    twin: { ...after, revision: revision + 1 },
  }));
  const placed = clocked.flatMap(({ after: { _id: car, attributes }, changes }) =>
    changes.map((change) => ({ car, change, offset, fleet: attributes?.fleet })),
  );
  const { writes, events, eventSequence } = foldEpisodeChanges(placed, _id, sequence, new Date(now));
  await commitBetween(holding, { twins, episodes: writes, events, eventSequence }, workshop, signal);
  return events.length;
}

/**
 * Forgets a car: the twin, its episodes and its events at once, leaving a tombstone, then the history piece by piece.
 * Safe to repeat.
 */
export async function eraseCar(
  holding: Holding,
  car: string,
  upTo: Date,
  workshop: Workshop,
  signal: AbortSignal,
): Promise<void> {
  const { database, clock } = workshop.stages;
  await holding.publishBacklog(signal);
  const { twin, erasedRevision } = (await holding.cars.get([car])).get(car) ?? UNKNOWN_CAR;
  // With the twin goes all that it speaks of: rows that are newer than what was asked for would not be known as sent before.
  const all = new Date(Math.max(upTo.getTime(), twin?.reported.at.getTime() ?? 0, twin?.skewedUpTo?.getTime() ?? 0));
  const revision = twin?.revision ?? null;
  const erase = { car, upTo: all, revision, lastRevision: revision ?? erasedRevision, now: new Date(clock()) };
  await commitBetween(holding, { erase }, workshop, signal);
  holding.cars.drop([car]);
  // Not $lte: `secantusd-py` leaves the bound itself out where the index goes on behind it.
  await eraseHistory(database, car, new Date(all.getTime() + 1), holding.position._id);
}

/**
 * Writes and publishes what came up between two batches.
 * @throws Fenced; Error where a car was written through another partition: it is read again in the next round
 */
export async function commitBetween(
  holding: Holding,
  change: Partial<BatchWrite>,
  workshop: Workshop,
  signal: AbortSignal,
): Promise<void> {
  const { stages, publisher } = workshop;
  const write = { ...emptyBatch(holding), ...change };
  const pending = new PendingCommit(stages.database, write, holding.session);
  const outcome = await patiently(() => pending.attempt(), workshop, signal);
  if (outcome.kind === 'stale-twins') {
    // The partition is still held: without traffic nobody would take it over again.
    holding.cars.clear();
    throw new Error('a car was written through another partition meanwhile');
  }
  if (outcome.kind !== 'committed') throw new Fenced(`a write between batches was ${outcome.kind}`);
  holding.position = outcome.position;
  holding.cars.put(write.twins.map(({ twin }) => twin));
  holding.position = await publisher.publish(holding.position, [], write.events, signal);
}
