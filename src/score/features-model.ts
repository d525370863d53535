import type { Scored, ToScore } from '../telemetry/score.js';
import { FEATURES, FEATURES_ID, FEATURE_COUNT, readFeatures, stateOf } from './features.js';
import { Judge } from './judge.js';
import { BadModelError, readModelFolder, type ModelFolder } from './model-folder.js';
import type { Prepared, ReadingModel } from './reading-model.js';

/** Kind `autoencoder`: the features of a reading and of the car's past, judged by the worst of them. */
export class FeaturesModel implements ReadingModel {
  readonly model: string;
  readonly threshold: number;
  readonly network: ModelFolder['network'];
  readonly golden: ModelFolder['metadata']['golden'];
  readonly goldenNetwork: ModelFolder['metadata']['goldenNetwork'];
  readonly reach: number;
  readonly #judge: Judge;

  constructor({ metadata, network }: ModelFolder) {
    this.model = `${metadata.name}@${metadata.version}`;
    this.threshold = metadata.threshold;
    this.network = network;
    this.golden = metadata.golden;
    this.goldenNetwork = metadata.goldenNetwork;
    this.reach = metadata.inputLimit;
    this.#judge = new Judge(metadata);
  }

  /** @throws BadModelError where the folder holds no model, or one for other features */
  static read(dir: string): FeaturesModel {
    const folder = readModelFolder(dir);
    const { featuresId, features } = folder.metadata;
    const given = features.map(({ name }) => name);
    const known = FEATURES.map(({ name }) => name);
    if (featuresId !== FEATURES_ID || given.join(' ') !== known.join(' '))
      throw new BadModelError(
        dir,
        `it wants the features ${featuresId}, this program has ${FEATURES_ID}${difference(given, known)}`,
      );
    return new FeaturesModel(folder);
  }

  prepare(part: readonly ToScore[]): Prepared {
    const values = new Float64Array(part.length * FEATURE_COUNT);
    const states = part.map(({ reading, memory }, row) =>
      readFeatures(reading, stateOf(memory), values, row * FEATURE_COUNT),
    );
    const inputs = this.#judge.toInputs(values);
    return {
      inputs,
      judged: (outputs) => states.map((state, row) => this.#scored(values, outputs, row, state)),
    };
  }

  #scored(values: Float64Array, outputs: Float32Array, row: number, state: readonly number[]): Scored {
    const score = this.#judge.score(values, outputs, row * FEATURE_COUNT);
    if (score === null) return { kind: 'unscored', reason: 'the model made no number of this reading' };
    return { kind: 'scored', score, memory: { features: FEATURES_ID, state } };
  }
}

/** What a model's features have more, or less, than the program's. */
function difference(given: readonly string[], known: readonly string[]): string {
  const lacking = known.filter((name) => !given.includes(name));
  const unknown = given.filter((name) => !known.includes(name));
  const parts = [
    ...(unknown.length > 0 ? [`it has ${unknown.join(', ')}, which this program does not know`] : []),
    ...(lacking.length > 0 ? [`it lacks ${lacking.join(', ')}`] : []),
  ];
  return parts.length > 0 ? `: ${parts.join('; ')}` : '';
}
