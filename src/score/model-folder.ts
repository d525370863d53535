import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { SIGNAL_NAMES, type SignalName } from '../telemetry/signals.js';
import { signalDistributionsSchema } from './signal-distribution.js';

export const signalName = z.enum(SIGNAL_NAMES as [SignalName, ...SignalName[]]);

export const featureSchema = z.object({
  name: z.string(),
  signal: signalName,
  derivation: z.string(),
  /** The network sees (value - mean) / scale. */
  mean: z.number(),
  scale: z.number().positive(),
  /** The error, in scales, that hardly a normal reading exceeds, below and above the reconstruction. */
  normalError: z.object({ below: z.number().positive(), above: z.number().positive() }),
});

const readingSchema = z.object({ at: z.number(), signals: z.record(signalName, z.number().nullable()) });

export const trainingSchema = z.object({
  source: z.string(),
  command: z.string(),
  seed: z.number(),
  readings: z.number(),
  cars: z.number(),
  epochs: z.number(),
  /** SHA-256 of the rows that the network was fitted to. */
  dataHash: z.string(),
  tfjs: z.string(),
});

/** What the metadata of every kind of model for readings of cars says. */
export const metadataOfAnyKind = z.object({
  format: z.literal('fleet-twin-model-1'),
  name: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/),
  version: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/),
  threshold: z.number().positive(),
  /** The quantile of the scores of normal readings that the threshold stands for. */
  quantile: z.number().min(0).max(1),
  /** Scores of normal readings, by quantile, rising. */
  normalScores: z.array(z.object({ quantile: z.number(), score: z.number() })),
  /** How the signals were spread in training, by which drift is told; see signal-distribution.ts. */
  signals: signalDistributionsSchema.optional(),
  /** Where normal errors and threshold were set anew after the training: on which readings. */
  calibration: z
    .object({ source: z.string(), readings: z.number(), cars: z.number(), dataHash: z.string() })
    .optional(),
  /**
   * `heldOutLoss`; `leftOutReadings`, `leftOutCars`: not calibrated on, as they look like failures; `thresholdReadings`: normal readings that the threshold was set on; `flaggedOfThem`: the share above it.
   */
  metrics: z.record(z.string(), z.number()),
  /** Readings of one car each, in order, from an empty memory, and the scores that they must get (within 1e-4 of them). */
  golden: z.array(z.object({ readings: z.array(readingSchema), scores: z.array(z.number()) })).min(1),
  /** Inputs of the network and what it makes of them (within 1e-4 of it). */
  goldenNetwork: z.array(z.object({ inputs: z.array(z.number()), outputs: z.array(z.number()) })).min(1),
});

const DEFAULT_KIND = 'autoencoder';

const metadataSchema = metadataOfAnyKind.extend({
  kind: z.literal(DEFAULT_KIND).default(DEFAULT_KIND),
  training: trainingSchema,
  featuresId: z.string(),
  features: z.array(featureSchema).min(1),
  /** `leave-out`: a missing feature is given to the network as its mean and has no part in the score. */
  missing: z.literal('leave-out'),
  /** What the network is given is cut at this many scales; the error is taken against the value itself. */
  inputLimit: z.number().positive(),
  /** The score is the worst feature's error over its normal error. */
  score: z.literal('worst-feature'),
});

export type MetadataOfAnyKind = z.infer<typeof metadataOfAnyKind>;
export type ModelMetadata = z.infer<typeof metadataSchema>;
export type ModelFeature = z.infer<typeof featureSchema>;

const weightSpec = z.object({ name: z.string(), shape: z.array(z.number()), dtype: z.literal('float32') });

const layersModelSchema = z.object({
  modelTopology: z.looseObject({}),
  weightsManifest: z.array(z.object({ paths: z.array(z.string()), weights: z.array(weightSpec) })),
});

/** The network, as TensorFlow's memory loader takes it. */
export interface NetworkFiles {
  readonly modelTopology: object;
  readonly weightSpecs: readonly z.infer<typeof weightSpec>[];
  readonly weightData: ArrayBuffer;
}

export interface ModelFolder {
  readonly metadata: ModelMetadata;
  readonly network: NetworkFiles;
}

/** A folder that holds no model that this program can serve. */
export class BadModelError extends Error {
  readonly code = 'BAD_MODEL';
  constructor(dir: string, problem: string, options?: ErrorOptions) {
    super(`no usable model in ${dir}: ${problem}`, options);
  }
}

/** The kind of the model in a folder; one that does not say is an autoencoder of features. @throws BadModelError */
export function readKind(dir: string): string {
  return parsed(dir, 'metadata.json', z.looseObject({ kind: z.string().default(DEFAULT_KIND) })).kind;
}

/**
 * The autoencoder of features in a folder.
 * @throws BadModelError where a file is missing, unreadable or not of the format, and for another kind of model
 */
export function readModelFolder(dir: string): ModelFolder {
  const kind = readKind(dir);
  if (kind !== DEFAULT_KIND) throw new BadModelError(dir, `its kind is ${kind}, and ${DEFAULT_KIND} is asked for`);
  return { metadata: parsed(dir, 'metadata.json', metadataSchema), network: readNetwork(dir) };
}

/** model.json and its weights. @throws BadModelError */
export function readNetwork(dir: string): NetworkFiles {
  const { modelTopology, weightsManifest } = parsed(dir, 'model.json', layersModelSchema);
  const weightSpecs = weightsManifest.flatMap(({ weights }) => weights);
  const bytes = Buffer.concat(weightsManifest.flatMap(({ paths }) => paths).map((path) => file(dir, path)));
  const expected = weightSpecs.reduce((sum, { shape }) => sum + 4 * shape.reduce((a, b) => a * b, 1), 0);
  if (bytes.length !== expected)
    throw new BadModelError(dir, `the weights have ${bytes.length} bytes, model.json tells of ${expected}`);
  return { modelTopology, weightSpecs, weightData: new Uint8Array(bytes).buffer };
}

export function writeModelFolder(
  dir: string,
  { metadata, network }: { readonly metadata: object; readonly network: NetworkFiles },
  card: string,
): void {
  writeFolder(dir, { ...networkFiles(network), 'metadata.json': json(metadata), 'MODEL.md': card });
}

/** The files that `readNetwork` reads. */
export function networkFiles(
  network: NetworkFiles,
  generatedBy = 'fleet-twin train',
): Readonly<Record<string, Buffer | string>> {
  return { 'model.json': json(layersModel(network, generatedBy)), 'weights.bin': Buffer.from(network.weightData) };
}

export function json(value: object): string {
  return `${JSON.stringify(value, null, 1)}\n`;
}

/** Written beside its place and moved there: no reader ever sees half a model. A folder that was there is replaced. */
export function writeFolder(dir: string, files: Readonly<Record<string, Buffer | string>>): void {
  const fresh = `${dir}.new-${process.pid}`;
  const old = `${dir}.old-${process.pid}`;
  rmSync(fresh, { recursive: true, force: true });
  try {
    mkdirSync(fresh, { recursive: true });
    for (const [name, content] of Object.entries(files)) writeFileSync(join(fresh, name), content);
    moveAside(dir, old);
    renameSync(fresh, dir);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    throw error;
  }
  rmSync(old, { recursive: true, force: true });
}

function layersModel({ modelTopology, weightSpecs }: NetworkFiles, generatedBy: string): object {
  const weightsManifest = [{ paths: ['weights.bin'], weights: weightSpecs }];
  return { format: 'layers-model', generatedBy, modelTopology, weightsManifest };
}

function moveAside(dir: string, old: string): void {
  try {
    renameSync(dir, old);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** @throws BadModelError */
export function parsed<T extends z.ZodType>(dir: string, name: string, schema: T): z.infer<T> {
  const text = file(dir, name).toString('utf8');
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    const problem = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new BadModelError(dir, `${name} is not what it should be: ${problem}`, { cause: error });
  }
}

/** @throws BadModelError */
export function file(dir: string, name: string): Buffer {
  try {
    return readFileSync(join(dir, name));
  } catch (error) {
    throw new BadModelError(dir, `${name} cannot be read (${(error as NodeJS.ErrnoException).code})`, { cause: error });
  }
}
