import { z } from 'zod';
import { FEATURES, FEATURES_ID } from './features.js';
import {
  BadModelError,
  featureSchema,
  metadataOfAnyKind,
  parsed,
  readNetwork,
  trainingSchema,
  type NetworkFiles,
} from './model-folder.js';

const sequenceMetadataSchema = metadataOfAnyKind.extend({
  kind: z.literal('sequence'),
  featuresId: z.string(),
  /** What the network predicts of the next reading. */
  features: z.array(featureSchema).min(1),
  /** Readings that it looks back at. */
  lookBack: z.number().int().min(1).max(64),
  /** The features, by name, that it is given of each of them; the oldest reading first. */
  inputs: z.array(z.string()).min(1),
  /** `leave-out`: a missing feature is given to the network as its mean and has no part in the score. */
  missing: z.literal('leave-out'),
  /** What the network is given is cut at this many scales; the error is taken against the value itself. */
  inputLimit: z.number().positive(),
  /** The score is the worst feature's error over its normal error. */
  score: z.literal('worst-feature'),
  training: trainingSchema,
});

export type SequenceMetadata = z.infer<typeof sequenceMetadataSchema>;

export interface SequenceFolder {
  readonly metadata: SequenceMetadata;
  readonly network: NetworkFiles;
}

/** @throws BadModelError where the folder holds no sequence model, or one for other features */
export function readSequenceFolder(dir: string): SequenceFolder {
  const metadata = parsed(dir, 'metadata.json', sequenceMetadataSchema);
  const { featuresId, features, inputs, lookBack, goldenNetwork } = metadata;
  const names = features.map(({ name }) => name);
  if (featuresId !== FEATURES_ID || names.join(' ') !== FEATURES.map(({ name }) => name).join(' '))
    throw new BadModelError(dir, `it wants the features ${featuresId}, this program has ${FEATURES_ID}`);
  const unknown = inputs.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new BadModelError(dir, `its input ${unknown} is none of its features`);
  const width = lookBack * inputs.length;
  if (goldenNetwork.some((one) => one.inputs.length !== width || one.outputs.length !== names.length))
    throw new BadModelError(dir, `its golden inputs are not those of ${width} numbers in and ${names.length} out`);
  return { metadata, network: readNetwork(dir) };
}
