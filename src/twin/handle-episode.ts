import type { ClientSession } from 'mongodb';
import { inChange, type MayChange } from './change-transaction.js';
import type { Database } from './database.js';
import type { EpisodeDocument } from './documents.js';
import type { EpisodeHandling, HandlingEntry } from './handling-documents.js';
import { handlingId } from './ids.js';

/** Entries that the timeline of an episode's handling takes. */
export const HANDLING_CAP = 500;

export type Handled =
  | { readonly kind: 'handled'; readonly episode: EpisodeDocument }
  | { readonly kind: 'unknown' }
  /** Only what is open can be snoozed. */
  | { readonly kind: 'cleared' }
  | { readonly kind: 'full' };

/**
 * Notes what somebody did with an episode, in the subdocument that is the API's, and leaves word for ingest, in one
 * transaction: what a caller was told is done will be told to everybody, whoever is killed when.
 */
export async function handleEpisode(
  database: Database,
  id: string,
  entry: HandlingEntry,
  mayChange: MayChange = () => true,
): Promise<Handled> {
  return inChange(database, (session) => handle(database, id, entry, mayChange, session));
}

async function handle(
  { collections }: Database,
  id: string,
  entry: HandlingEntry,
  mayChange: MayChange,
  session: ClientSession,
): Promise<Handled> {
  const before = await collections.anomalies.findOne({ _id: id }, { session });
  if (!before || !mayChange(before.fleet)) return { kind: 'unknown' };
  if (entry.event === 'SNOOZED' && before.status === 'CLEARED') return { kind: 'cleared' };
  const place = before.handling?.timeline?.length ?? 0;
  if (place >= HANDLING_CAP) return { kind: 'full' };
  const set = Object.entries(newest(entry)).map(([name, value]) => [`handling.${name}`, value]);
  const episode = await collections.anomalies.findOneAndUpdate(
    { _id: id },
    { $push: { 'handling.timeline': entry }, ...(set.length > 0 ? { $set: Object.fromEntries(set) } : {}) },
    { session, returnDocument: 'after' },
  );
  if (!episode) return { kind: 'unknown' };
  const word = { _id: handlingId(id, place), car: before.car, episode: id, entry };
  await collections.handlings.insertOne(word, { session });
  return { kind: 'handled', episode };
}

/** What an entry makes the newest state of its kind; a comment makes none. */
function newest({ event, at, by, assignee, snoozedUntil, label }: HandlingEntry): EpisodeHandling {
  switch (event) {
    case 'ACKNOWLEDGED':
      return { acknowledgedAt: at, acknowledgedBy: by };
    case 'ASSIGNED':
      return { assignee: assignee ?? null };
    case 'SNOOZED':
      return { snoozedUntil: snoozedUntil ?? null };
    case 'LABELLED':
      return label === undefined ? {} : { label };
    case 'COMMENTED':
      return {};
  }
}
