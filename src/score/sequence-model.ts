import { createHash } from 'node:crypto';
import type { ScoreMemory, Scored, ToScore } from '../telemetry/score.js';
import { FEATURE_COUNT, readFeatures } from './features.js';
import { Judge } from './judge.js';
import { newState } from './memory.js';
import type { Prepared, ReadingModel } from './reading-model.js';
import { readSequenceFolder, type SequenceFolder, type SequenceMetadata } from './sequence-folder.js';
import { pack, packedLength, unpack } from './sequence-memory.js';

const CAR_STATE = newState().length;

/**
 * Kind `sequence`: of the last readings of a car the network predicts the next one's features; the score is how far off the
 * worst of them is. A car's memory is that of the features and, packed, what the network is given of the last readings.
 */
export class SequenceModel implements ReadingModel {
  readonly model: string;
  readonly threshold: number;
  readonly network: SequenceFolder['network'];
  readonly golden: SequenceMetadata['golden'];
  readonly goldenNetwork: SequenceMetadata['goldenNetwork'];
  readonly reach: number;
  readonly #judge: Judge;
  readonly #lookBack: number;
  /** Places of the inputs among the features. */
  readonly #inputs: readonly number[];
  readonly #perReading: number;
  readonly #memoryId: string;
  readonly #newState: readonly number[];

  constructor({ metadata, network }: SequenceFolder) {
    this.model = `${metadata.name}@${metadata.version}`;
    this.threshold = metadata.threshold;
    this.network = network;
    this.golden = metadata.golden;
    this.goldenNetwork = metadata.goldenNetwork;
    this.reach = metadata.inputLimit;
    this.#judge = new Judge(metadata);
    this.#lookBack = metadata.lookBack;
    this.#inputs = inputPlaces(metadata.inputs, metadata.features);
    this.#perReading = packedLength(this.#inputs.length);
    this.#memoryId = memoryIdOf(metadata, this.#inputs);
    this.#newState = [...newState(), ...Array.from({ length: this.#lookBack * this.#perReading }, () => 0)];
  }

  /** @throws BadModelError where the folder holds no sequence model, or one for other features */
  static read(dir: string): SequenceModel {
    return new SequenceModel(readSequenceFolder(dir));
  }

  prepare(part: readonly ToScore[]): Prepared {
    const values = new Float64Array(part.length * FEATURE_COUNT);
    const width = this.#lookBack * this.#inputs.length;
    const inputs = new Float32Array(part.length * width);
    const before = part.map(({ memory }) => this.#stateOf(memory));
    const cars = part.map(({ reading }, row) => {
      const state = before[row] ?? this.#newState;
      this.#unpackWindow(state, inputs, row * width);
      return readFeatures(reading, state.slice(0, CAR_STATE), values, row * FEATURE_COUNT);
    });
    // Normalises the values in place; the network is given the past alone.
    this.#judge.toInputs(values);
    const states = cars.map((car, row) => this.#after(before[row] ?? this.#newState, car, values, row * FEATURE_COUNT));
    return { inputs, judged: (outputs) => states.map((state, row) => this.#scored(values, outputs, row, state)) };
  }

  /** The memory where it is of this model's features, scales and look-back; that of another says nothing here. */
  #stateOf(memory: ScoreMemory | null): readonly number[] {
    const known = memory?.features === this.#memoryId ? memory.state : null;
    return known?.length === this.#newState.length ? known : this.#newState;
  }

  #unpackWindow(state: readonly number[], inputs: Float32Array, offset: number): void {
    const width = this.#inputs.length;
    for (let back = 0; back < this.#lookBack; back++)
      unpack(state, CAR_STATE + back * this.#perReading, width, this.reach, inputs, offset + back * width);
  }

  /** The oldest reading goes, the new one comes last. */
  #after(before: readonly number[], car: readonly number[], values: Float64Array, start: number): number[] {
    const state = [...car, ...before.slice(CAR_STATE + this.#perReading)];
    pack(this.#inputs.length, this.reach, (place) => values[start + (this.#inputs[place] ?? 0)] ?? NaN, state);
    return state;
  }

  #scored(values: Float64Array, outputs: Float32Array, row: number, state: readonly number[]): Scored {
    const score = this.#judge.score(values, outputs, row * FEATURE_COUNT);
    if (score === null) return { kind: 'unscored', reason: 'the model made no number of this reading' };
    return { kind: 'scored', score, memory: { features: this.#memoryId, state } };
  }
}

export function inputPlaces(inputs: readonly string[], features: readonly { readonly name: string }[]): number[] {
  return inputs.map((input) => features.findIndex(({ name }) => name === input));
}

function memoryIdOf(
  { features, featuresId, inputs, lookBack, inputLimit }: SequenceMetadata,
  places: readonly number[],
) {
  const scales = places.map((place) => [features[place]?.mean, features[place]?.scale]);
  const hash = createHash('sha256').update(JSON.stringify([featuresId, inputs, scales, lookBack, inputLimit]));
  return `sequence-${hash.digest('hex').slice(0, 8)}`;
}
