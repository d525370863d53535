import type { Scored, Scorer, ToScore } from '../telemetry/score.js';
import { noSignals } from '../telemetry/signals.js';
import { BadModelError, type MetadataOfAnyKind } from './model-folder.js';
import type { ReadingModel } from './reading-model.js';
import type { Network } from './trusted-dense.js';

/** What backends may differ by. */
const GOLDEN_TOLERANCE = 1e-4;

/**
 * The network's own answers see any change of a weight; the scores see one of everything else.
 * @throws BadModelError
 */
export async function checkGolden(
  dir: string,
  { golden, goldenNetwork }: Pick<ReadingModel, 'golden' | 'goldenNetwork'>,
  scorer: Scorer,
  network: Network,
): Promise<void> {
  for (const { inputs, outputs } of goldenNetwork) {
    const got = await network.run(Float32Array.from(inputs), 1);
    outputs.forEach((expected, index) => {
      const value = got[index] ?? NaN;
      if (Math.abs(value - expected) <= GOLDEN_TOLERANCE * Math.max(1, Math.abs(expected))) return;
      throw new BadModelError(dir, `golden output ${index + 1} must be ${expected} and is ${value}`);
    });
  }
  for (const { readings, scores } of golden) {
    const got = await scoresInOrder(scorer, readings);
    scores.forEach((expected, index) => {
      const value = got[index] ?? NaN;
      // Not ">": a NaN must fail, too.
      if (Math.abs(value - expected) <= GOLDEN_TOLERANCE * Math.max(1, expected)) return;
      throw new BadModelError(dir, `golden reading ${index + 1} must score ${expected} and scores ${value}`);
    });
  }
}

/** The scores of one car's readings, from an empty memory; NaN where there is none. */
export async function scoresInOrder(
  scorer: Scorer,
  readings: MetadataOfAnyKind['golden'][number]['readings'],
): Promise<number[]> {
  const scores: number[] = [];
  let memory: ToScore['memory'] = null;
  for (const { at, signals } of readings) {
    const reading = { car: 'golden', at, skewedAt: null, signals: { ...noSignals(), ...signals }, label: null };
    const [scored]: Scored[] = await scorer.score([{ reading, memory }]);
    if (scored?.kind === 'scored') ({ memory } = scored);
    scores.push(scored?.kind === 'scored' ? scored.score.value : NaN);
  }
  return scores;
}
