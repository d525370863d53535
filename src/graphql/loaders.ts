import type { Collection, Document, Filter } from 'mongodb';
import { READ_LIMIT } from '../fleet/fleet.js';
import type { Database } from '../twin/database.js';
import { Rollups } from '../rollup/rollups.js';
import type { ArrayReadingDocument } from '../twin/array-documents.js';
import type { CarDocument } from '../twin/car-documents.js';
import type { CommandDocument } from '../twin/command-documents.js';
import type { EpisodeDocument, ReadingDocument, Twin } from '../twin/documents.js';
import { BatchLoader } from './batch-loader.js';
import { type HistoryPage, pagesAtOnce, readHistories } from './history.js';
import { type RollupsAnswer, type RollupsQuery, rollupPages, rollupPagesAtOnce } from './rollups-page.js';

/** Ids in one `$in`: larger ones are slower per id. */
const GROUP = 500;
/** Readings that rollups of one stretch may be made from while they are not computed. */
const UNCOMPUTED = 500_000;

/** Reads by id, each gathered over all requests of one turn of the event loop. */
export interface Loaders {
  readonly cars: BatchLoader<string, Twin | null>;
  /** What was said of cars. */
  readonly said: BatchLoader<string, CarDocument | null>;
  readonly commands: BatchLoader<string, CommandDocument | null>;
  readonly commandPages: BatchLoader<HistoryPage, CommandDocument[]>;
  readonly anomalies: BatchLoader<string, EpisodeDocument | null>;
  readonly readings: BatchLoader<string, ReadingDocument | null>;
  readonly arrays: BatchLoader<string, ArrayReadingDocument | null>;
  readonly histories: BatchLoader<HistoryPage, ReadingDocument[]>;
  /** The figures of windows, read together where they lie together. */
  readonly windows: Rollups;
  readonly rollups: BatchLoader<RollupsQuery, RollupsAnswer>;
}

export const LOADERS = Symbol('Loaders');

/** @param retention how long readings are kept, ms; null for ever */
export function loadersOf(database: Database, clock: () => number, retention: number | null): Loaders {
  const { collections } = database;
  const rollups = new Rollups(database, { clock, retention, limits: { time: READ_LIMIT, readings: UNCOMPUTED } });
  return {
    cars: new BatchLoader((ids) => byId(collections.twins, ids, { memory: 0, recent: 0 })),
    said: new BatchLoader((ids) => byId(collections.cars, ids)),
    commands: new BatchLoader((ids) => byId(collections.commands, ids)),
    commandPages: new BatchLoader((pages) => readHistories(collections.commands, pages), pagesAtOnce),
    anomalies: new BatchLoader((ids) => byId(collections.anomalies, ids)),
    readings: new BatchLoader((ids) => byId(collections.readings, ids)),
    arrays: new BatchLoader((ids) => byId(collections.arrayReadings, ids)),
    histories: new BatchLoader((pages) => readHistories(collections.readings, pages), pagesAtOnce),
    windows: rollups,
    rollups: new BatchLoader((queries) => rollupPages(rollups, queries), rollupPagesAtOnce),
  };
}

/** The documents in the order of the ids; null where there is none. An id that is asked for twice is read once. */
export async function byId<T extends Document & { readonly _id: string }>(
  collection: Collection<T>,
  ids: readonly string[],
  projection: Document = {},
): Promise<(T | null)[]> {
  const wanted = [...new Set(ids)];
  const found = new Map<string, T>();
  for (let start = 0; start < wanted.length; start += GROUP) {
    const filter = { _id: { $in: wanted.slice(start, start + GROUP) } } as Filter<T>;
    const rows = await collection.find(filter, { projection, maxTimeMS: READ_LIMIT }).toArray();
    for (const row of rows) found.set(row._id, row as unknown as T);
  }
  return ids.map((id) => found.get(id) ?? null);
}
