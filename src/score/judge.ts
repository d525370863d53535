import { NOTICED_SIGNAL, type MechanicalScore, type Score, type SignalShare } from '../telemetry/score.js';
import type { SignalName } from '../telemetry/signals.js';
import type { ModelFeature, ModelMetadata } from './model-folder.js';
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
  readonly #standIn: Float32Array;
  readonly #squared: boolean;
  readonly #below: Float64Array;
  readonly #above: Float64Array;
  readonly #signals: readonly SignalName[];
  /** The place in #signals of each feature's signal. */
  readonly #signalOf: Uint8Array;
  readonly #shares: Float64Array;
  /** The place in #signals of the noticed signal, or -1. */
  readonly #noticed: number;

  constructor({ features, name, version, threshold, inputLimit, normalScores, score }: JudgeRules) {
    this.size = features.length;
    this.#model = `${name}@${version}`;
    this.#threshold = threshold;
    this.#normalScores = normalScores;
    this.#limit = inputLimit;
    this.#mean = Float64Array.from(features, ({ mean }) => mean);
    this.#scale = Float64Array.from(features, ({ scale }) => scale);
    this.#standIn = Float32Array.from(features, ({ standIn }) => standIn ?? 0);
    this.#squared = score === 'mean-squared-error';
    this.#below = Float64Array.from(features, ({ normalError }) => (this.#squared ? 1 : normalError.below));
    this.#above = Float64Array.from(features, ({ normalError }) => (this.#squared ? 1 : normalError.above));
    this.#signals = [...new Set(features.map(({ signal }) => signal))];
    this.#signalOf = Uint8Array.from(features, ({ signal }) => this.#signals.indexOf(signal));
    this.#shares = new Float64Array(this.#signals.length);
    this.#noticed = this.#signals.indexOf(NOTICED_SIGNAL);
  }

  /**
   * @param features rows × size; NaN where missing. Normalised in place.
   * @returns rows × size for the network: cut at the limit, the stand-in (else the mean, 0) where missing
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
        inputs[start + i] = Number.isNaN(value)
          ? (this.#standIn[i] ?? 0)
          : value > limit
            ? limit
            : value < -limit
              ? -limit
              : value;
      }
    }
    return inputs;
  }

  /**
   * The score of the row that starts at `start`: the error of the worst feature over its normal error, or the mean of the
   * squared errors of what is there.
   * @returns null where the network gave a NaN, or no feature was there to judge
   */
  score(values: Float64Array, outputs: Float32Array, start: number): Score | null {
    const shares = this.#shares.fill(0);
    let worst = -1;
    let second = 0;
    let total = 0;
    let there = 0;
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
      there++;
    }
    if (!Number.isFinite(total) || worst < 0) return null;
    const threshold = this.#threshold;
    // Before the shares are used up.
    const mechanical = this.#mechanical(shares, second, there);
    const value = this.#squared ? total / there : worst;
    return {
      value,
      threshold,
      anomalous: value > threshold,
      ...(this.#normalScores && { worseThan: standingOf(value, this.#normalScores) }),
      model: this.#model,
      topSignals: this.#top(shares, total),
      ...(mechanical && { mechanical }),
    };
  }

  /** Not there for nearly every reading: only where the noticed signal is above the threshold by itself. */
  #mechanical(shares: Float64Array, second: number, there: number): MechanicalScore | null {
    const noticed = this.#noticed < 0 ? 0 : (shares[this.#noticed] ?? 0);
    if ((this.#squared ? noticed / there : Math.sqrt(noticed)) <= this.#threshold) return null;
    const others = shares.slice();
    others[this.#noticed] = 0;
    let rest = 0;
    for (const share of others) rest += share;
    const value = this.#squared ? rest / Math.max(1, there - 1) : second;
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

/** What is judged: a number that the network is given and gives back. */
export interface JudgedFeature extends Pick<ModelFeature, 'signal' | 'mean' | 'scale' | 'normalError'> {
  /** What the network is given where it is missing, normalised; the mean, 0, where it says nothing. */
  readonly standIn?: number;
}

export interface JudgeRules
  extends Pick<ModelMetadata, 'name' | 'version' | 'threshold' | 'inputLimit'>,
    Partial<Pick<ModelMetadata, 'normalScores'>> {
  readonly features: readonly JudgedFeature[];
  /** `worst-feature` where it says nothing. */
  readonly score?: 'worst-feature' | 'mean-squared-error';
}
