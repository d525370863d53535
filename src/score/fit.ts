import { setImmediate } from 'node:timers/promises';
import type * as tfjs from '@tensorflow/tfjs';
import { collectGarbage } from './garbage.js';
import { seeded } from './seeded.js';

export interface FitOptions {
  readonly seed: number;
  readonly epochs: number;
  /** Rows a step */
  readonly batch: number;
  /** Epochs without a better loss on held-out cars after which training ends. */
  readonly patience: number;
  /** Of the optimizer, at first. */
  readonly rate: number;
  readonly onEpoch: (progress: EpochProgress) => void;
}

export interface EpochProgress {
  readonly epoch: number;
  readonly loss: number;
  /** The loss on cars that are not trained on. */
  readonly heldOut: number;
  readonly best: boolean;
  /** Since the first epoch began. */
  readonly seconds: number;
}

export interface Fitted {
  /** That were run. */
  readonly epochs: number;
  /** The lowest on cars that were not trained on, with signals replaced as in training. */
  readonly heldOutLoss: number;
}

/** What an epoch is, for a kind of network. */
export interface FitSteps {
  /** Readies the network for training at this rate. */
  compile(rate: number): void;
  /** Goes once over the rows, learning from those to fit. @returns the mean loss */
  epoch(use: 'fit' | 'heldOut', random: () => number): Promise<number>;
}

/** Stands in a target for a number that is missing: it has no part in the loss. */
export const MISSING_TARGET = 1e6;

/**
 * Goes over the rows until that helps no more on held-out cars.
 * @returns the network is left with the weights that did best on them
 */
export async function fitNetwork(model: tfjs.LayersModel, steps: FitSteps, options: FitOptions): Promise<Fitted> {
  let { rate } = options;
  steps.compile(rate);
  const random = seeded(options.seed);
  const started = performance.now();
  let best = Infinity;
  let bestWeights = copyWeights(model);
  let since = 0;
  let epoch = 0;
  while (epoch < options.epochs && since < options.patience) {
    epoch++;
    const loss = await steps.epoch('fit', random);
    const heldOut = await steps.epoch('heldOut', seeded(options.seed + 1));
    const better = heldOut < best * 0.999;
    collectGarbage();
    // Training never waits for anything: without a turn for the event loop no signal (Ctrl-C) would be heard until its end.
    await setImmediate();
    options.onEpoch({ epoch, loss, heldOut, best: better, seconds: (performance.now() - started) / 1_000 });
    since = better ? 0 : since + 1;
    if (better) {
      best = heldOut;
      bestWeights.forEach((weight) => weight.dispose());
      bestWeights = copyWeights(model);
    } else if (since % 2 === 0) steps.compile((rate /= 2));
  }
  model.setWeights(bestWeights);
  bestWeights.forEach((weight) => weight.dispose());
  return { epochs: epoch, heldOutLoss: best };
}

function copyWeights(model: tfjs.LayersModel): tfjs.Tensor[] {
  return model.getWeights().map((weight) => weight.clone());
}
