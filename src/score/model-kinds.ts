import type { Reading } from '../telemetry/reading.js';
import { modelCard } from './model-card.js';
import type { NetworkFiles } from './model-folder.js';
import { sequenceCard } from './sequence-card.js';
import { signalsCard } from './signals-card.js';
import { trainModel, type TrainOptions } from './train-model.js';
import { trainReference } from './train-reference.js';
import { trainSequence } from './train-sequence.js';

/** A model that was trained, ready for its folder. */
export interface Trained {
  readonly metadata: { readonly name: string; readonly version: string; readonly threshold: number };
  readonly network: NetworkFiles;
  /** Markdown */
  readonly card: string;
}

type Trainer = (readings: Iterable<Reading> | AsyncIterable<Reading>, options: TrainOptions) => Promise<Trained>;

/** What `train --kind` takes. */
export const TRAINERS: Readonly<Record<'autoencoder' | 'reference' | 'sequence', Trainer>> = {
  autoencoder: async (readings, options) => {
    const folder = await trainModel(readings, options);
    return { ...folder, card: modelCard(folder.metadata) };
  },
  reference: async (readings, options) => {
    const folder = await trainReference(readings, options);
    return { ...folder, card: signalsCard(folder.metadata) };
  },
  sequence: async (readings, options) => {
    const folder = await trainSequence(readings, options);
    return { ...folder, card: sequenceCard(folder.metadata) };
  },
};

export type TrainableKind = keyof typeof TRAINERS;
export const TRAINABLE_KINDS = Object.keys(TRAINERS) as TrainableKind[];
