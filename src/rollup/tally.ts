import { SIGNAL_NAMES, type SignalName } from '../telemetry/signals.js';
import type { ReadingDocument } from '../twin/documents.js';
import type { Figures, SignalFigures } from '../twin/rollup-documents.js';
import { ExactSum } from './exact-sum.js';

/** What of a reading goes into the figures. */
export type TalliedReading = Pick<ReadingDocument, 'signals' | 'score'>;

/** Figures while they are gathered, out of readings or out of the figures of parts; in any order the same. */
export class Tally {
  #readings = 0;
  #anomalies = 0;
  #maxScore: number | null = null;
  #maxRatio: number | null = null;
  readonly #signals = new Map<SignalName, SignalTally>();

  addReading({ signals, score }: TalliedReading): void {
    this.#readings += 1;
    if (score?.anomalous) this.#anomalies += 1;
    if (score) this.#addScore(score.value, score.threshold > 0 ? score.value / score.threshold : score.value);
    for (const name of SIGNAL_NAMES) {
      const value = signals[name];
      if (value != null) this.#signal(name).add({ count: 1, min: value, max: value, sum: value });
    }
  }

  addFigures({ readings, anomalies, maxScore, maxRatio, signals }: Figures): void {
    this.#readings += readings;
    this.#anomalies += anomalies;
    this.#addScore(maxScore, maxRatio);
    for (const name of SIGNAL_NAMES) {
      const figures = signals[name];
      if (figures) this.#signal(name).add(figures);
    }
  }

  figures(): Figures {
    return {
      readings: this.#readings,
      anomalies: this.#anomalies,
      maxScore: this.#maxScore,
      maxRatio: this.#maxRatio,
      signals: Object.fromEntries(SIGNAL_NAMES.flatMap((name) => this.#entry(name))),
    };
  }

  #addScore(score: number | null, ratio: number | null): void {
    this.#maxScore = larger(this.#maxScore, score);
    this.#maxRatio = larger(this.#maxRatio, ratio);
  }

  #signal(name: SignalName): SignalTally {
    const tally = this.#signals.get(name) ?? new SignalTally();
    this.#signals.set(name, tally);
    return tally;
  }

  #entry(name: SignalName): [SignalName, SignalFigures][] {
    const tally = this.#signals.get(name);
    return tally ? [[name, tally.figures()]] : [];
  }
}

class SignalTally {
  #count = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  readonly #sum = new ExactSum();

  add({ count, min, max, sum }: SignalFigures): void {
    this.#count += count;
    this.#min = Math.min(this.#min, min);
    this.#max = Math.max(this.#max, max);
    this.#sum.add(sum);
  }

  figures(): SignalFigures {
    return { count: this.#count, min: this.#min, max: this.#max, sum: this.#sum.value };
  }
}

/** One tally for each name, made when it is first asked for. */
export class Tallies<K> {
  readonly #tallies = new Map<K, Tally>();

  of(key: K): Tally {
    const tally = this.#tallies.get(key) ?? new Tally();
    this.#tallies.set(key, tally);
    return tally;
  }

  entries(): IterableIterator<[K, Tally]> {
    return this.#tallies.entries();
  }
}

function larger(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.max(one, other);
}
