import type { OpenEpisode, Twin } from './documents.js';
import type { EpisodeKind } from './episode-kind.js';
import { stepOf, type EpisodeChange } from './episode-step.js';
import { episodeId } from './ids.js';

const KIND = 'NO_DATA';

export type OpenEpisodes = Readonly<Partial<Record<EpisodeKind, OpenEpisode>>>;

/**
 * The time on the car's own clock: its newest event time plus what has passed since that was received, so that a replay of
 * old data is not taken for a long time.
 * @param now ms
 */
export function carNow({ reported: { at, receivedAt } }: Twin, now: number): Date {
  return new Date(at.getTime() + Math.max(0, now - receivedAt.getTime()));
}

/**
 * A car that has sent nothing new for longer than `after`, on its own clock, falls silent: an episode whose id names the time
 * at which it was last seen, so that whoever finds out gives it the same one. It is MINOR and leaves the status alone:
 * `freshness` says at once what this says after a while.
 * @param now ms
 * @param after ms
 */
export function fallSilent(twin: Twin, now: number, after: number): { twin: Twin; change: EpisodeChange } | null {
  const at = carNow(twin, now);
  const { openEpisodes, lastSeenAt, cleared, reported } = twin;
  if (openEpisodes.NO_DATA || at.getTime() - reported.at.getTime() <= after) return null;
  // Two readings of one instant, the second one after a silence: its id is used up.
  if (cleared.NO_DATA && lastSeenAt <= cleared.NO_DATA) return null;
  const id = episodeId(twin._id, KIND, lastSeenAt);
  const opened = { id, severity: 'MINOR', severityAt: at, calm: 0, readings: 0, peakRatio: 0, entries: 0 } as const;
  const { episode, change } = stepOf(opened, KIND, 'OPENED', at, null);
  if (!episode || !change) return null;
  return { twin: { ...twin, openEpisodes: { ...openEpisodes, [KIND]: episode } }, change };
}

/** A new reading ends the silence, scored or not. `cleared` keeps the opening of the newest one, which its id was made of. */
export function endSilence(twin: Twin, at: Date): { twin: Twin; changes: EpisodeChange[] } {
  const { [KIND]: silence, ...open } = twin.openEpisodes;
  if (!silence) return { twin, changes: [] };
  const { change } = stepOf(silence, KIND, 'CLEARED', at, null);
  const cleared = { ...twin.cleared, [KIND]: twin.lastSeenAt };
  return { twin: { ...twin, openEpisodes: open, cleared }, changes: change ? [change] : [] };
}
