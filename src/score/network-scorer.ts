import { setImmediate } from 'node:timers/promises';
import type { Scored, Scorer, ToScore } from '../telemetry/score.js';
import type { Prepared, ReadingModel } from './reading-model.js';
import type { Backend } from './tensorflow.js';
import type { Network } from './trusted-dense.js';

export interface LoadedScorer extends Scorer {
  /** TensorFlow's, which checked the model; it scores where `evaluator` says so. */
  readonly backend: Backend;
  readonly evaluator: 'dense' | 'tensorflow';
  /** A reading that scores above it is anomalous. */
  readonly threshold: number;
  /** May be called twice; what is scored later comes back unscored. */
  close(): Promise<void>;
}

/** Readings that are worked on at a stretch: about a millisecond of the event loop. */
const PART = 512;

/** A model with whoever evaluates its network. */
export class NetworkScorer implements LoadedScorer {
  readonly model: string;
  readonly threshold: number;

  constructor(
    private readonly kind: ReadingModel,
    private readonly network: Network,
    readonly backend: Backend,
    readonly evaluator: LoadedScorer['evaluator'],
  ) {
    this.model = kind.model;
    this.threshold = kind.threshold;
  }

  async score(batch: readonly ToScore[]): Promise<Scored[]> {
    const parts: Promise<Answered>[] = [];
    for (let start = 0; start < batch.length; start += PART) {
      if (start > 0) await setImmediate();
      parts.push(this.#answered(batch.slice(start, start + PART)));
    }
    const scored: Scored[] = [];
    for (const part of parts) {
      // Answers may have come in together; each is worked on in a turn of its own.
      if (scored.length > 0) await setImmediate();
      scored.push(...judgedOf(await part));
    }
    return scored;
  }

  close(): Promise<void> {
    return this.network.close();
  }

  /** Never rejects: a model that fails costs the scores, not the readings. */
  async #answered(part: readonly ToScore[]): Promise<Answered> {
    try {
      const prepared = this.kind.prepare(part);
      return { kind: 'answered', prepared, outputs: await this.network.run(prepared.inputs, part.length) };
    } catch (error) {
      return { kind: 'failed', count: part.length, reason: error instanceof Error ? error.message : String(error) };
    }
  }
}

type Answered =
  | { readonly kind: 'answered'; readonly prepared: Prepared; readonly outputs: Float32Array }
  | { readonly kind: 'failed'; readonly count: number; readonly reason: string };

function judgedOf(part: Answered): Scored[] {
  if (part.kind === 'answered') return part.prepared.judged(part.outputs);
  return Array.from({ length: part.count }, () => ({ kind: 'unscored', reason: part.reason }));
}
