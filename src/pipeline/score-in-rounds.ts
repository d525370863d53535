import type { Reading } from '../telemetry/reading.js';
import type { ScoreMemory, Scored, Scorer, ToScore } from '../telemetry/score.js';
import type { Arrival } from '../twin/arrival.js';
import { Turns } from './turns.js';

export interface Classified {
  readonly reading: Reading;
  readonly arrival: Arrival;
}

/** One for the process: several partitions and models score on the same event loop. */
const turns = new Turns();

/**
 * Scores a batch in rounds: first the first reading of every car, then the second, and so on. So every round is one
 * vectorised call, and each car's memory is folded in the order of its readings. A late reading is scored against the
 * memory as it is and leaves it so; what is not stored is not scored. Many rounds (a car with many readings) are many short
 * calls; the event loop has its turns between them.
 * @param memoryOf each car's memory before the batch
 * @returns a score, or null where there is nothing to score, for each reading in the order of the input
 */
export async function scoreInRounds(
  classified: readonly Classified[],
  memoryOf: (car: string) => ScoreMemory | null,
  scorer: Scorer,
): Promise<(Scored | null)[]> {
  const results = classified.map((): Scored | null => null);
  const memories = new Map<string, ScoreMemory | null>();
  for (const round of roundsOf(classified)) {
    const toScore = round.map((index) => toScoreAt(index, classified, memories, memoryOf));
    const scored = await scorer.score(toScore);
    round.forEach((index, place) => {
      const result = scored[place] ?? { kind: 'unscored', reason: 'the model gave no answer' };
      results[index] = result;
      const one = classified[index];
      if (result.kind === 'scored' && one?.arrival === 'new') memories.set(one.reading.car, result.memory);
    });
    await turns.after(round.length);
  }
  return results;
}

function toScoreAt(
  index: number,
  classified: readonly Classified[],
  memories: ReadonlyMap<string, ScoreMemory | null>,
  memoryOf: (car: string) => ScoreMemory | null,
): ToScore {
  const one = classified[index];
  if (!one) throw new RangeError(`no reading at ${index}`);
  const { reading } = one;
  const known = memories.get(reading.car);
  return { reading, memory: known === undefined ? memoryOf(reading.car) : known };
}

function roundsOf(classified: readonly Classified[]): number[][] {
  const rounds: number[][] = [];
  const seen = new Map<string, number>();
  classified.forEach(({ reading, arrival }, index) => {
    if (arrival !== 'new' && arrival !== 'late') return;
    const round = seen.get(reading.car) ?? 0;
    seen.set(reading.car, round + 1);
    (rounds[round] ??= []).push(index);
  });
  return rounds;
}
