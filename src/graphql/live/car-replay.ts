import type { ChangeStreamDocument } from 'mongodb';
import type { Database } from '../../twin/database.js';
import { type CarPlace, sortableTime } from './car-place.js';
import { REPLAY_WAIT, replayed } from './change-replay.js';
import type { Replay } from './recent-cars.js';
import { tokenOf } from './resume-token.js';

/** How long the stream may be read, ms. */
const WITHIN = 10_000;

interface TwinKey {
  readonly _id: string;
}

/** Which cars and when: the states are read when they are told. A deleted one is found to be none then. */
const PIPELINE = [{ $project: { operationType: 1, documentKey: 1, clusterTime: 1 } }];

/**
 * The cars that changed behind a token, as the change stream tells. By the store's clock alone it is not asked: not every
 * server says so when it does not go back as far.
 * @param now where to stop: what comes behind it is known
 * @param most cars
 * @returns null when the store does not go back so far, or there are too many
 */
export async function changedSince(
  { collections }: Database,
  token: string,
  now: CarPlace,
  most: number,
): Promise<Replay | null> {
  const changed = new Map<string, string>();
  let first: string | null = null;
  let gone = false;
  const take = (change: ChangeStreamDocument<TwinKey>) => {
    gone ||= change.operationType === 'invalidate';
    if (gone || !('documentKey' in change)) return gone ? 'enough' : 'more';
    const { _id: id } = change.documentKey;
    const at = change.clusterTime ? sortableTime(change.clusterTime) : now.at;
    first ??= at;
    changed.delete(id);
    changed.set(id, at);
    return at > now.at || changed.size > most ? 'enough' : 'more';
  };
  const stream = collections.twins.watch<TwinKey>(PIPELINE, {
    resumeAfter: tokenOf(token),
    maxAwaitTimeMS: REPLAY_WAIT,
  });
  const told = await replayed(stream, take, { within: WITHIN, until: now.token });
  return told && !gone && changed.size <= most ? { token, first, changes: [...changed] } : null;
}
