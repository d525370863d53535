import { scoreInRounds } from '../pipeline/score-in-rounds.js';
import type { Reading } from '../telemetry/reading.js';
import type { Scored, Scorer } from '../telemetry/score.js';
import { hashSignals } from '../telemetry/signals-hash.js';
import { applyReading, newestOf } from '../twin/apply-reading.js';
import { classifyArrival, KnownReadings, type Arrival } from '../twin/arrival.js';
import type { Twin } from '../twin/documents.js';
import type { EpisodeChange } from '../twin/episode-step.js';
import type { EpisodeRules } from '../twin/episodes.js';

/** What became of one reading. */
export interface Judged {
  readonly reading: Reading;
  readonly arrival: Arrival;
  /** null for readings that are not scored: those that were sent twice. */
  readonly scored: Scored | null;
  /** What it did to the car's episodes. */
  readonly changes: readonly EpisodeChange[];
}

/** Readings that are scored together; each car at most once in them. */
const MOST = 2_000;
const NO_LIMITS = { expiredBefore: null, erasedUpTo: null };

/**
 * Readings as the pipeline would take them, in the order of the input: scored with each car's memory and folded into its
 * twin by the reducer itself. Memory is bounded by the number of cars. A reading that was sent twice is recognised when it
 * comes right behind itself; behind newer ones it counts as late.
 */
export async function* replay(
  readings: Iterable<Reading> | AsyncIterable<Reading>,
  scorer: Scorer,
  rules: EpisodeRules,
): AsyncGenerator<Judged> {
  const twins = new Map<string, Twin>();
  let batch = new Map<string, Reading>();
  for await (const reading of readings) {
    if (batch.has(reading.car) || batch.size >= MOST) {
      yield* judge([...batch.values()], twins, scorer, rules);
      batch = new Map();
    }
    batch.set(reading.car, reading);
  }
  yield* judge([...batch.values()], twins, scorer, rules);
}

async function* judge(
  batch: readonly Reading[],
  twins: Map<string, Twin>,
  scorer: Scorer,
  rules: EpisodeRules,
): AsyncGenerator<Judged> {
  const arrivals = batch.map((reading) => arrivalOf(reading, twins.get(reading.car) ?? null));
  const scores = await scoreInRounds(arrivals, (car) => twins.get(car)?.memory ?? null, scorer);
  for (const [index, { reading, hash, arrival }] of arrivals.entries()) {
    const scored = scores[index] ?? null;
    const source = { topic: '', partition: 0, offset: 0 };
    const arrived = { reading, hash, arrival, scored, receivedAt: reading.at, source };
    const { twin, changes } = applyReading(twins.get(reading.car) ?? null, arrived, rules);
    if (twin) twins.set(reading.car, twin);
    yield { reading, arrival, scored, changes };
  }
}

function arrivalOf(reading: Reading, twin: Twin | null) {
  const hash = hashSignals(reading.signals);
  return { reading, hash, arrival: classifyArrival(reading, hash, newestOf(twin), new KnownReadings(), NO_LIMITS) };
}

/** The open episode that a reading opened or extends; null where there is none, and for calm readings in one. */
export function episodeOf({ changes }: Judged): string | null {
  return changes.find(({ event }) => event !== 'CLEARED')?.id ?? null;
}
