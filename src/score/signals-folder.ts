import { z } from 'zod';
import {
  BadModelError,
  featureSchema,
  metadataOfAnyKind,
  parsed,
  readNetwork,
  signalName,
  trainingSchema,
  type NetworkFiles,
} from './model-folder.js';

const range = z.object({ kind: z.literal('range'), min: z.number(), max: z.number() });

export const signalNormaliserSchema = z.discriminatedUnion('kind', [
  /** (value - mean) / scale */
  z.object({ kind: z.literal('standard'), mean: z.number(), scale: z.number().positive() }),
  /** min..max becomes -1..1 */
  range.refine(({ min, max }) => min < max, 'min has to be below max'),
  /** 0, whatever the car sent */
  z.object({ kind: z.literal('zero') }),
]);

const signalSchema = z.object({
  name: signalName,
  normaliser: signalNormaliserSchema,
  /** The mean of normal readings, normalised: what the network is given where the signal is missing. */
  normalMean: z.number(),
  /** The error, normalised, that hardly a normal reading exceeds. */
  normalError: featureSchema.shape.normalError,
});

const signalsMetadataSchema = metadataOfAnyKind.extend({
  kind: z.literal('signals'),
  /** In the order of the network's inputs and of its outputs. */
  inputs: z
    .array(signalSchema)
    .min(1)
    .refine((inputs) => new Set(inputs.map(({ name }) => name)).size === inputs.length, 'a signal is named twice'),
  /**
   * `leave-out`: a missing signal is given to the network as its normal mean and has no part in the score.
   * `leave-unscored`: a reading that misses one is not scored.
   */
  missing: z.enum(['leave-out', 'leave-unscored']),
  /** What the network is given is cut at this; null: not at all. The error is taken against the value itself. */
  inputLimit: z.number().positive().nullable(),
  /** `worst-feature`: the worst signal's error over its normal error. `mean-squared-error`: of the signals that are there. */
  score: z.enum(['worst-feature', 'mean-squared-error']),
  /** Where it was trained here. */
  training: trainingSchema.optional(),
  /** Where it was trained elsewhere; `sha256` is that of the weights. */
  imported: z.object({ format: z.string(), sha256: z.string(), command: z.string() }).optional(),
  /** What a person should know of it, for the model card. */
  about: z.string().optional(),
});

export type SignalsMetadata = z.infer<typeof signalsMetadataSchema>;
export type ModelSignal = z.infer<typeof signalSchema>;
export type SignalNormaliser = z.infer<typeof signalNormaliserSchema>;

export interface SignalsFolder {
  readonly metadata: SignalsMetadata;
  readonly network: NetworkFiles;
}

/** @throws BadModelError where the folder holds no model of named signals */
export function readSignalsFolder(dir: string): SignalsFolder {
  const metadata = parsed(dir, 'metadata.json', signalsMetadataSchema);
  const width = metadata.inputs.length;
  for (const { inputs, outputs } of metadata.goldenNetwork) {
    if (inputs.length !== width || outputs.length !== width)
      throw new BadModelError(dir, `it names ${width} signals, and a golden input of its network has ${inputs.length}`);
  }
  return { metadata, network: readNetwork(dir) };
}
