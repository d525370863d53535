import type { Database } from '../twin/database.js';

/** Cars that fell silent within the same five minutes are looked at together, ms. */
const TOGETHER = 300_000;
/** More than so many, and more than this share of the fleet: that is no fault of theirs. */
const FEW = 50;
const SHARE = 0.1;
/** Cars of one partition in one round, and so in one transaction; the next round takes the others. */
export const MOST_SILENT = 500;

export interface SilentCars {
  /** By `topic/partition`: cars that are silent by themselves. */
  readonly alone: ReadonlyMap<string, readonly string[]>;
  /** Cars that fell silent with so many others that something between them and here is to be mended instead. */
  readonly together: number;
}

export const placeOf = (topic: string, partition: number) => `${topic}/${partition}`;

/**
 * Cars from which nothing new has come since `before` and that have no episode of it yet. One pass over the twins for
 * all partitions of a process: an index on the time would cost as much as every message.
 */
export async function findSilent({ collections }: Database, topic: string, before: Date): Promise<SilentCars> {
  const { twins } = collections;
  const filter = {
    'reported.receivedAt': { $lt: before },
    'source.topic': topic,
    'openEpisodes.NO_DATA': { $exists: false },
  } as const;
  const fleet = await twins.estimatedDocumentCount();
  const limit = Math.max(FEW, SHARE * fleet);
  const groups = new Map<number, { count: number; cars: { car: string; partition: number }[] }>();
  const projection = { 'reported.receivedAt': 1, 'source.partition': 1 };
  for await (const { _id: car, reported, source } of twins.find(filter, { projection })) {
    const time = Math.floor(reported.receivedAt.getTime() / TOGETHER);
    const group = groups.get(time) ?? { count: 0, cars: [] };
    groups.set(time, group);
    group.count += 1;
    if (group.count <= limit) group.cars.push({ car, partition: source.partition });
  }
  const alone = new Map<string, string[]>();
  let together = 0;
  for (const [, { count, cars }] of [...groups].sort(([a], [b]) => a - b)) {
    if (count > limit) together += count;
    else for (const { car, partition } of cars) add(alone, placeOf(topic, partition), car);
  }
  return { alone, together };
}

function add(cars: Map<string, string[]>, place: string, car: string): void {
  const list = cars.get(place);
  if (!list) cars.set(place, [car]);
  else if (list.length < MOST_SILENT) list.push(car);
}

/** A tenth of the silence, but every 10 s to 5 minutes; ms. */
export function lookEvery(after: number): number {
  return Math.min(300_000, Math.max(10_000, after / 10));
}
