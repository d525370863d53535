import type { EpisodeKind } from '../twin/episode-kind.js';
import type { EpisodeRules } from '../twin/episodes.js';
import { OneClassError } from './figures.js';

/** A reading of an episode's car, as far as it says when the episode opens. */
export interface Blame {
  readonly value: number;
  /** The kind that its worst signal belongs to. */
  readonly kind: EpisodeKind;
}

/**
 * Below which thresholds an episode of the kind opens out of these readings, oldest first: the highest value that k of n readings
 * in a row exceed together. -Infinity where there are too few.
 */
export function openingScore(
  readings: readonly Blame[],
  kind: EpisodeKind,
  { window, open }: Pick<EpisodeRules, 'window' | 'open'>,
): number {
  let highest = -Infinity;
  for (let end = 1; end <= readings.length; end++) {
    const values = readings
      .slice(Math.max(0, end - window), end)
      .flatMap((one) => (one.kind === kind ? one.value : []));
    const kth = values.toSorted((a, b) => b - a)[open - 1] ?? -Infinity;
    if (kth > highest) highest = kth;
  }
  return highest;
}

export interface Labelled {
  readonly id: string;
  readonly label: 'TRUE' | 'FALSE';
  /** See `openingScore`. */
  readonly opening: number;
}

export interface Suggestion {
  readonly threshold: number;
  /** The mean of the share of TRUE ones that still open and of FALSE ones that do not. */
  readonly agreement: number;
  readonly agreementNow: number;
  /** Labelled episodes that would not have opened. */
  readonly lostTrue: readonly Labelled[];
  readonly droppedFalse: readonly Labelled[];
}

/**
 * A threshold from what people said of episodes that the present one opened. So it is never lower: of what never opened nobody
 * said anything. It keeps every TRUE episode as long as that drops a FALSE one at all; else it is the one that agrees best with both
 * kinds of labels. It lies halfway between what it drops and what it keeps.
 * @throws OneClassError where one of the labels was never given
 */
export function suggestThreshold(labelled: readonly Labelled[], present: number): Suggestion {
  const of = (label: Labelled['label']) => labelled.filter((one) => one.label === label);
  const [real, unreal] = [of('TRUE'), of('FALSE')];
  if (real.length === 0 || unreal.length === 0) throw oneClass(real.length, unreal.length);
  const judged = candidates(labelled, present).map((threshold) => {
    const lostTrue = real.filter(({ opening }) => opening <= threshold);
    const droppedFalse = unreal.filter(({ opening }) => opening <= threshold);
    const agreement = (1 - lostTrue.length / real.length + droppedFalse.length / unreal.length) / 2;
    return { threshold, agreement, lostTrue, droppedFalse };
  });
  const keeping = judged.filter(({ lostTrue, droppedFalse }) => lostTrue.length === 0 && droppedFalse.length > 0);
  const choice = keeping.length > 0 ? keeping : judged;
  // Of equals the lowest, which is the first.
  const best = choice.reduce((one, other) => (other.agreement > one.agreement ? other : one));
  return { ...best, agreementNow: judged[0]?.agreement ?? best.agreement };
}

/** The present one, and one between every two openings above it; rising. */
function candidates(labelled: readonly Labelled[], present: number): number[] {
  const above = labelled.map(({ opening }) => opening).filter((opening) => opening > present);
  const openings = [...new Set(above)].toSorted((a, b) => a - b);
  const between = openings.slice(1).map((opening, index) => {
    const below = openings[index] ?? opening;
    const middle = (below + opening) / 2;
    // Of two neighbouring numbers the middle may be the upper one.
    return middle < opening ? middle : below;
  });
  return [present, ...between, ...openings.slice(-1)];
}

function oneClass(real: number, unreal: number): OneClassError {
  const given = real + unreal === 0 ? 'no episode is' : `all ${real + unreal} of them are`;
  const label = real + unreal === 0 ? 'TRUE or FALSE' : real > 0 ? 'TRUE' : 'FALSE';
  return new OneClassError(`${given} labelled ${label}: a threshold is learned from both, TRUE and FALSE ones`);
}
