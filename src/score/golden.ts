import type { Reading } from '../telemetry/reading.js';
import type { Reconstruct } from './calibrate.js';
import { FEATURE_COUNT, readFeatures } from './features.js';
import { Judge, type JudgeRules } from './judge.js';
import { seeded } from './seeded.js';
import { newState } from './memory.js';
import { scoresInOrder } from './golden-check.js';
import type { MetadataOfAnyKind, ModelMetadata } from './model-folder.js';
import { NetworkScorer } from './network-scorer.js';
import type { ReadingModel } from './reading-model.js';

/** Readings of the first cars that go into the metadata with their scores. */
const GOLDEN_CARS = 3;
const GOLDEN_READINGS = 5;

/** Passes readings on and keeps the first few of the first few cars. */
export async function* withGolden(
  readings: Iterable<Reading> | AsyncIterable<Reading>,
  golden: Map<string, Reading[]>,
): AsyncGenerator<Reading> {
  for await (const reading of readings) {
    const kept = golden.get(reading.car);
    if (kept !== undefined && kept.length < GOLDEN_READINGS) kept.push(reading);
    else if (kept === undefined && golden.size < GOLDEN_CARS) golden.set(reading.car, [reading]);
    yield reading;
  }
}

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

/** As `goldenOf`, for any kind of model; readings that it leaves unscored are left out. */
export async function goldenOfModel(
  cars: readonly (readonly Reading[])[],
  model: ReadingModel,
  reconstruct: Reconstruct,
): Promise<MetadataOfAnyKind['golden']> {
  const network = { run: reconstruct, close: () => Promise.resolve() };
  const scorer = new NetworkScorer(model, network, 'native', 'tensorflow');
  const golden: MetadataOfAnyKind['golden'] = [];
  for (const car of cars) {
    const readings = car.map(({ at, signals }) => ({ at, signals }));
    const scores = await scoresInOrder(scorer, readings);
    const scored = readings.filter((_, place) => !Number.isNaN(scores[place]));
    golden.push({ readings: scored, scores: scores.filter((score) => !Number.isNaN(score)) });
  }
  return golden;
}

/** Inputs all over the range that the network is given, and what it makes of them. */
export async function goldenNetworkOf(
  seed: number,
  inputLimit: number,
  reconstruct: Reconstruct,
  width = FEATURE_COUNT,
): Promise<ModelMetadata['goldenNetwork']> {
  const random = seeded(seed);
  const golden: ModelMetadata['goldenNetwork'] = [];
  for (let row = 0; row < 4; row++) {
    // Small ones too: large ones saturate the network, and it would not see a weight that has changed.
    const reach = inputLimit / 4 ** row;
    const inputs = Float32Array.from({ length: width }, () => (2 * random() - 1) * reach);
    const outputs = await reconstruct(inputs.slice(), 1);
    golden.push({ inputs: [...inputs], outputs: [...outputs] });
  }
  return golden;
}
