import { z } from 'zod';
import { ARRAY_ERRORS } from '../telemetry/array-reading.js';
import {
  BadModelError,
  file,
  json,
  networkFiles,
  parsed,
  readKind,
  readNetwork,
  writeFolder,
  type NetworkFiles,
} from './model-folder.js';

const numbers = z.array(z.number()).min(1);
const errors = z.object({ raw: z.number(), standardised: z.number() });

const metadataSchema = z.object({
  format: z.literal('fleet-twin-model-1'),
  name: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'has to be 1 to 64 letters, digits, dots, dashes or underscores'),
  version: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/),
  kind: z.literal('array'),
  /** How many numbers an array has. */
  inputs: z.number().int().positive(),
  /** The network sees (value - mean) × factor, and gives the same back. */
  normaliser: z.object({ mean: numbers, factor: numbers }),
  layers: z.array(z.object({ units: z.number(), activation: z.string() })).min(1),
  /** Which error the score is: telemetry/array-reading.ts says what they are. */
  score: z.enum(ARRAY_ERRORS),
  threshold: z.number().positive(),
  /** In words: what the threshold was made of. */
  thresholdMade: z.string(),
  source: z.object({
    kind: z.string(),
    file: z.string(),
    sha256: z.string(),
    command: z.string(),
    /** What the file says of itself. */
    says: z.record(z.string(), z.string()),
    /** Reconstruction errors that the file itself expects and that the import found to be met, by the name of their data. */
    expected: z.record(z.string(), z.object({ arrays: z.number(), largestDifference: z.number() })),
  }),
  /** Arrays, what the network gives for them (normalised), and their errors: within 1e-12 of it in double precision. */
  golden: z.array(z.object({ values: numbers, outputs: numbers, errors })).min(1),
});

export type ArrayMetadata = z.infer<typeof metadataSchema>;

export interface ArrayFolder {
  readonly metadata: ArrayMetadata;
  readonly network: NetworkFiles;
  /** The network's weights in double precision, in the same order. */
  readonly exactWeights: Float64Array;
}

/** Little-endian float64, in the order of weights.bin. */
const EXACT = 'weights64.bin';

/** @throws BadModelError where the folder holds no model for arrays */
export function readArrayFolder(dir: string): ArrayFolder {
  const kind = readKind(dir);
  if (kind !== 'array') throw new BadModelError(dir, `its kind is ${kind}; arrays are scored by array`);
  const metadata = parsed(dir, 'metadata.json', metadataSchema);
  const { inputs, normaliser, golden } = metadata;
  const vectors = [normaliser.mean, normaliser.factor, ...golden.flatMap(({ values, outputs }) => [values, outputs])];
  if (vectors.some(({ length }) => length !== inputs) || normaliser.factor.includes(0))
    throw new BadModelError(dir, `normaliser and golden arrays must have ${inputs} numbers, and no factor may be 0`);
  const bytes = file(dir, EXACT);
  if (bytes.length % 8 !== 0) throw new BadModelError(dir, `${EXACT} holds no whole numbers of 8 bytes`);
  return { metadata, network: readNetwork(dir), exactWeights: new Float64Array(new Uint8Array(bytes).buffer) };
}

export function writeArrayFolder(dir: string, { metadata, network, exactWeights }: ArrayFolder, card: string): void {
  const { buffer, byteOffset, byteLength } = exactWeights;
  writeFolder(dir, {
    ...networkFiles(network, 'fleet-twin models import'),
    [EXACT]: Buffer.from(buffer, byteOffset, byteLength),
    'metadata.json': json(checked(metadata)),
    'MODEL.md': card,
  });
}

/** What is written can be read again. */
function checked(metadata: ArrayMetadata): ArrayMetadata {
  const { success, error } = metadataSchema.safeParse(metadata);
  if (success) return metadata;
  const [issue] = error.issues;
  throw new TypeError(`the model's ${issue?.path.join('.')} ${issue?.message}`);
}
