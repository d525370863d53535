import { NOTICED_SIGNAL, type MechanicalScore, type Score, type SignalShare } from '../telemetry/score.js';
import type { SignalName } from '../telemetry/signals.js';
import type { ModelMetadata } from './model-folder.js';
import { standingOf } from './standing.js';

const TOP = 3;

/** Turns features into what the network is given, and what it answers into a score. */
export class Judge {
  readonly size: number;
  readonly #model: string;
  readonly #threshold: number;
  readonly #normalScores: ModelMetadata['normalScores'] | undefined;
  readonly #limit: number;
  readonly #mean: Float64Array;
  readonly #scale: Float64Array;
  readonly #below: Float64Array;
  readonly #above: Float64Array;
  readonly #signals: readonly SignalName[];
  /** The place in #signals of each feature's signal. */
  readonly #signalOf: Uint8Array;
  readonly #shares: Float64Array;
  /** The place in #signals of the noticed signal, or -1. */
  readonly #noticed: number;

  constructor({ features, name, version, threshold, inputLimit, normalScores }: JudgeRules) {
    this.size = features.length;
    this.#model = `${name}@${version}`;
    this.#threshold = threshold;
    this.#normalScores = normalScores;
    this.#limit = inputLimit;
    this.#mean = Float64Array.from(features, ({ mean }) => mean);
    this.#scale = Float64Array.from(features, ({ scale }) => scale);
    this.#below = Float64Array.from(features, ({ normalError }) => normalError.below);
    this.#above = Float64Array.from(features, ({ normalError }) => normalError.above);
    this.#signals = [...new Set(features.map(({ signal }) => signal))];
    this.#signalOf = Uint8Array.from(features, ({ signal }) => this.#signals.indexOf(signal));
    this.#shares = new Float64Array(this.#signals.length);
    this.#noticed = this.#signals.indexOf(NOTICED_SIGNAL);
  }

  /**
   * @param features rows × size; NaN where missing. Normalised in place.
   * @returns rows × size for the network: cut at the limit, the mean (0) where missing
   */
  toInputs(features: Float64Array): Float32Array<ArrayBuffer> {
    const { size } = this;
    const limit = this.#limit;
    const inputs = new Float32Array(features.length);
    for (let start = 0; start < features.length; start += size) {
      for (let i = 0; i < size; i++) {
        const value = ((features[start + i] ?? NaN) - (this.#mean[i] ?? 0)) / (this.#scale[i] ?? 1);
        features[start + i] = value;
        // A value beyond the limit would drag the reconstruction of everything else along.
        inputs[start + i] = Number.isNaN(value) ? 0 : value > limit ? limit : value < -limit ? -limit : value;
      }
    }
    return inputs;
  }

  /**
   * The score of the row that starts at `start`: the error of the worst feature over its normal error.
   * @returns null where the network gave a NaN, or no feature was there to judge
   */
  score(values: Float64Array, outputs: Float32Array, start: number): Score | null {
    const shares = this.#shares.fill(0);
    let worst = -1;
    let second = 0;
    let total = 0;
    for (let i = 0; i < this.size; i++) {
      const output = outputs[start + i] ?? NaN;
      if (!Number.isFinite(output)) return null;
      const error = (values[start + i] ?? NaN) - output;
      if (Number.isNaN(error)) continue;
      const ratio = error < 0 ? -error / (this.#below[i] ?? 1) : error / (this.#above[i] ?? 1);
      const place = this.#signalOf[i] ?? 0;
      if (place !== this.#noticed && ratio > second) second = ratio;
      if (ratio > worst) worst = ratio;
      shares[place] = (shares[place] ?? 0) + ratio * ratio;
      total += ratio * ratio;
    }
    if (!Number.isFinite(total) || worst < 0) return null;
    const threshold = this.#threshold;
    // Before the shares are used up.
    const mechanical = this.#mechanical(shares, second);
    return {
      value: worst,
      threshold,
      anomalous: worst > threshold,
      ...(this.#normalScores && { worseThan: standingOf(worst, this.#normalScores) }),
      model: this.#model,
      topSignals: this.#top(shares, total),
      ...(mechanical && { mechanical }),
    };
  }

  /** Not there for nearly every reading: only where the noticed signal is above the threshold by itself. */
  #mechanical(shares: Float64Array, value: number): MechanicalScore | null {
    const noticed = this.#noticed < 0 ? 0 : (shares[this.#noticed] ?? 0);
    if (noticed <= this.#threshold ** 2) return null;
    const others = shares.slice();
    others[this.#noticed] = 0;
    let rest = 0;
    for (const share of others) rest += share;
    return { value, topSignals: rest > 0 ? this.#top(others, rest) : [] };
  }

  #top(shares: Float64Array, total: number): SignalShare[] {
    const top: SignalShare[] = [];
    for (let n = 0; n < TOP; n++) {
      let best = 0;
      for (let i = 1; i < shares.length; i++) if ((shares[i] ?? 0) > (shares[best] ?? 0)) best = i;
      const share = shares[best] ?? 0;
      const signal = this.#signals[best];
      if (share <= 0 || signal === undefined) break;
      top.push({ signal, share: share / total });
      shares[best] = 0;
    }
    return top;
  }
}

export type JudgeRules = Pick<ModelMetadata, 'features' | 'name' | 'version' | 'threshold' | 'inputLimit'> &
  Partial<Pick<ModelMetadata, 'normalScores'>>;
