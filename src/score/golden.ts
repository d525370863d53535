import type { Reading } from '../telemetry/reading.js';
import type { Reconstruct } from './calibrate.js';
import { FEATURE_COUNT, readFeatures } from './features.js';
import { Judge, type JudgeRules } from './judge.js';
import { newState } from './memory.js';
import type { ModelMetadata } from './model-folder.js';

/** Readings of a few cars, in order, with the scores that they get from an empty memory. */
export async function goldenOf(
  cars: readonly (readonly Reading[])[],
  rules: JudgeRules,
  reconstruct: Reconstruct,
): Promise<ModelMetadata['golden']> {
  const judge = new Judge(rules);
  const golden: ModelMetadata['golden'] = [];
  for (const readings of cars) {
    let state = newState();
    const scores: number[] = [];
    for (const reading of readings) {
      const row = new Float64Array(FEATURE_COUNT);
      state = readFeatures(reading, state, row, 0);
      const outputs = await reconstruct(judge.toInputs(row), 1);
      scores.push(judge.score(row, outputs, 0)?.value ?? 0);
    }
    golden.push({ readings: readings.map(({ at, signals }) => ({ at, signals })), scores });
  }
  return golden;
}
