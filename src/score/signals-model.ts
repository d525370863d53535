import type { Reading } from '../telemetry/reading.js';
import type { Scored, ToScore } from '../telemetry/score.js';
import { Judge, type JudgedFeature, type JudgeRules } from './judge.js';
import type { Prepared, ReadingModel } from './reading-model.js';
import { readSignalsFolder, type ModelSignal, type SignalsFolder, type SignalsMetadata } from './signals-folder.js';

/** Where nothing cuts the inputs, the fast evaluator is compared on inputs this far from 0. */
const USUAL_REACH = 6;

/** Kind `signals`: a vector of named signals that the network gives back. It remembers nothing of a car. */
export class SignalsModel implements ReadingModel {
  readonly model: string;
  readonly threshold: number;
  readonly network: SignalsFolder['network'];
  readonly golden: SignalsMetadata['golden'];
  readonly goldenNetwork: SignalsMetadata['goldenNetwork'];
  readonly reach: number;
  readonly #signals: readonly ModelSignal[];
  readonly #needsAll: boolean;
  readonly #judge: Judge;

  constructor({ metadata, network }: SignalsFolder) {
    this.model = `${metadata.name}@${metadata.version}`;
    this.threshold = metadata.threshold;
    this.network = network;
    this.golden = metadata.golden;
    this.goldenNetwork = metadata.goldenNetwork;
    this.reach = metadata.inputLimit ?? USUAL_REACH;
    this.#signals = metadata.inputs;
    this.#needsAll = metadata.missing === 'leave-unscored';
    this.#judge = new Judge(rulesOfSignals(metadata));
  }

  /** @throws BadModelError where the folder holds no model of named signals */
  static read(dir: string): SignalsModel {
    return new SignalsModel(readSignalsFolder(dir));
  }

  prepare(part: readonly ToScore[]): Prepared {
    const width = this.#signals.length;
    const values = new Float64Array(part.length * width);
    part.forEach(({ reading }, row) => readSignals(reading, this.#signals, values, row * width));
    const inputs = this.#judge.toInputs(values);
    return { inputs, judged: (outputs) => part.map((_, row) => this.#scored(values, outputs, row * width)) };
  }

  #scored(values: Float64Array, outputs: Float32Array, start: number): Scored {
    if (this.#needsAll) {
      const missing = this.#signals.find((_, i) => Number.isNaN(values[start + i]));
      if (missing) return { kind: 'unscored', reason: `the model needs every signal, and ${missing.name} is missing` };
    }
    const score = this.#judge.score(values, outputs, start);
    if (score === null) return { kind: 'unscored', reason: 'the model made no number of this reading' };
    return { kind: 'scored', score, memory: null };
  }
}

/** Writes the signals of a reading to `out[offset ...]`: as sent, NaN where missing, 0 for those that are fed as 0. */
export function readSignals(
  { signals }: Reading,
  wanted: readonly Pick<ModelSignal, 'name' | 'normaliser'>[],
  out: Float64Array,
  offset: number,
): void {
  wanted.forEach(({ name, normaliser }, place) => {
    out[offset + place] = normaliser.kind === 'zero' ? 0 : (signals[name] ?? NaN);
  });
}

export function rulesOfSignals(
  metadata: Pick<SignalsMetadata, 'name' | 'version' | 'threshold' | 'inputLimit' | 'score' | 'inputs'> &
    Partial<Pick<SignalsMetadata, 'normalScores'>>,
): JudgeRules {
  return { ...metadata, inputLimit: metadata.inputLimit ?? Infinity, features: metadata.inputs.map(judgedSignal) };
}

function judgedSignal({ name, normaliser, normalMean, normalError }: ModelSignal): JudgedFeature {
  return { signal: name, ...affine(normaliser), normalError, standIn: normalMean };
}

/** What is taken off, and what divides then. */
export function affine(normaliser: ModelSignal['normaliser']): { readonly mean: number; readonly scale: number } {
  switch (normaliser.kind) {
    case 'standard':
      return { mean: normaliser.mean, scale: normaliser.scale };
    case 'range':
      return { mean: (normaliser.min + normaliser.max) / 2, scale: (normaliser.max - normaliser.min) / 2 };
    case 'zero':
      return { mean: 0, scale: 1 };
  }
}
