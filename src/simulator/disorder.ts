import { DueQueue } from './due-queue.js';
import { hashOf, Random } from './random.js';

/** What goes wrong between a car and the broker. Times are event time, so that the same seed gives the same order at any rate. */
export interface Disorder {
  /** Share of the messages that are sent again, identical, within DUPLICATE_WITHIN after the first time. */
  readonly dup: number;
  /** Every message is held back by 0 to so many s, each by its own time. */
  readonly shuffle: number;
  /** Share of the messages that are held back by LATE_BY on top of it. */
  readonly late: number;
  /** Share of the cars whose clocks are wrong, each by its own time up to SKEW_UP_TO, half of them ahead and half behind. */
  readonly skew: number;
}

export const ORDER: Disorder = { dup: 0, shuffle: 0, late: 0, skew: 0 };

/** s */
export const DUPLICATE_WITHIN = 10;
/** s */
export const LATE_BY = [60, 600] as const;
/** s */
export const SKEW_UP_TO = 3_600;

/** Streams of random numbers beside the cars' own: what one share draws is not changed by another. */
const DUPLICATES = 101;
const SHUFFLES = 102;
const DELAYS = 103;
const SKEWS = 104;

interface Sent {
  readonly car: string;
  /** ms since 1970 */
  readonly at: number;
}

/**
 * The messages of a source (in order of time) in the order in which a bad network brings them. None is lost; the held-back
 * ones follow at the end. The same source, disorder and seed give the same messages. Memory: what is held back.
 */
export function* disordered<T extends Sent>(
  source: Iterable<T>,
  disorder: Disorder,
  seed: number,
): Generator<T, void, undefined> {
  const waiting = new DueQueue<T>();
  const delayOf = delays(disorder, seed);
  const repeatOf = repeats(disorder, seed);
  const shown = clocks<T>(disorder, seed);
  for (const message of source) {
    const sent = shown(message);
    const due = message.at + delayOf();
    const repeated = repeatOf();
    waiting.add(due, sent);
    if (repeated !== null) waiting.add(due + repeated, sent);
    yield* waiting.takeUntil(message.at);
  }
  yield* waiting.takeUntil(Infinity);
}

/** s by which a message is held back on average: how far what is sent lies behind the cars' clocks. */
export function meanDelay({ shuffle, late }: Disorder): number {
  return shuffle / 2 + (late * (LATE_BY[0] + LATE_BY[1])) / 2;
}

export function isOrder({ dup, shuffle, late, skew }: Disorder): boolean {
  return dup === 0 && shuffle === 0 && late === 0 && skew === 0;
}

/** ms that the next message is held back */
function delays({ shuffle, late }: Disorder, seed: number): () => number {
  const shuffling = new Random(seed, 0, SHUFFLES);
  const delaying = new Random(seed, 0, DELAYS);
  return () => {
    const short = shuffle * shuffling.next();
    const long = delaying.between(...LATE_BY);
    return Math.round(1_000 * (delaying.chance(late) ? short + long : short));
  };
}

/** ms until the next message comes again; null: it does not */
function repeats({ dup }: Disorder, seed: number): () => number | null {
  const repeating = new Random(seed, 0, DUPLICATES);
  return () => {
    const after = Math.round(repeating.between(0, DUPLICATE_WITHIN * 1_000));
    return repeating.chance(dup) ? after : null;
  };
}

/** The message as its car's clock dates it. A car's clock is wrong by the same time throughout, and in any fleet. */
function clocks<T extends Sent>({ skew }: Disorder, seed: number): (message: T) => T {
  if (skew === 0) return (message) => message;
  const wrongBy = new Map<string, number>();
  return (message) => {
    let wrong = wrongBy.get(message.car);
    if (wrong === undefined) {
      const clock = new Random(seed, hashOf(message.car), SKEWS);
      const by = clock.chance(skew) ? clock.integer(1, SKEW_UP_TO * 1_000) : 0;
      wrong = clock.chance(0.5) ? by : -by;
      wrongBy.set(message.car, wrong);
    }
    return wrong === 0 ? message : { ...message, at: message.at + wrong };
  };
}
