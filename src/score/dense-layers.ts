import { z } from 'zod';
import type { NetworkFiles } from './model-folder.js';

export const ACTIVATIONS = ['linear', 'relu', 'tanh', 'sigmoid'] as const;
export type Activation = (typeof ACTIVATIONS)[number];

/** One dense layer: activation(input × kernel + bias). */
export interface DenseLayer {
  readonly inputs: number;
  readonly units: number;
  readonly activation: Activation;
  /** inputs × units, row by row */
  readonly kernel: Float32Array;
  readonly bias: Float32Array;
}

const layerSchema = z.object({
  class_name: z.string(),
  config: z.looseObject({
    name: z.string(),
    batch_input_shape: z.array(z.number().nullable()).optional(),
    units: z.number().optional(),
    activation: z.string().optional(),
    use_bias: z.boolean().optional(),
  }),
  /** Where the inputs come from; a sequential network has none, for each layer follows the one before. */
  inbound_nodes: z.array(z.array(z.array(z.unknown()))).optional(),
});
type Layer = z.infer<typeof layerSchema>;

const layersSchema = z.array(layerSchema).min(1);
/** Keras has written networks in each of these ways. */
const configSchema = z.object({ config: z.union([layersSchema, z.object({ layers: layersSchema })]) });
const topologySchema = z.union([configSchema, z.object({ model_config: configSchema })]);

/**
 * The layers of a network that is a plain chain of dense layers on a vector.
 * @returns why it is none, otherwise
 */
export function denseLayersOf({
  modelTopology,
  weightSpecs,
  weightData,
}: NetworkFiles): readonly DenseLayer[] | string {
  const layers = layersIn(modelTopology);
  const [first] = layers;
  if (!first) return 'its layers cannot be read';
  let width = first.config.batch_input_shape?.[1];
  if (typeof width !== 'number') return 'it does not begin with a vector';
  const weights = weightsByName(weightSpecs, weightData);
  const chain: DenseLayer[] = [];
  let before = first.config.name;
  for (const layer of first.class_name === 'InputLayer' ? layers.slice(1) : layers) {
    const made = denseLayer(layer, width, before, weights);
    if (typeof made === 'string') return `layer ${layer.config.name} ${made}`;
    chain.push(made);
    [before, width] = [layer.config.name, made.units];
  }
  return chain.length === 0 ? 'it has no layers' : chain;
}

function layersIn(topology: object): readonly Layer[] {
  const parsed = topologySchema.safeParse(topology);
  if (!parsed.success) return [];
  const { config } = 'model_config' in parsed.data ? parsed.data.model_config : parsed.data;
  return 'layers' in config ? config.layers : config;
}

function denseLayer(
  { class_name: kind, config, inbound_nodes: nodes = [] }: Layer,
  inputs: number,
  before: string,
  weights: ReadonlyMap<string, Float32Array>,
): DenseLayer | string {
  if (kind !== 'Dense') return `is ${kind}`;
  const [sources] = nodes;
  if (nodes.length > 1 || (sources && (sources.length !== 1 || sources[0]?.[0] !== before)))
    return `does not follow ${before} alone`;
  const { name, units = 0, use_bias: biased = true, activation: asked = 'linear' } = config;
  const activation = ACTIVATIONS.find((known) => known === asked);
  if (activation === undefined) return `has the activation ${asked}`;
  const kernel = weights.get(`${name}/kernel`);
  const bias = biased ? weights.get(`${name}/bias`) : new Float32Array(units);
  if (kernel?.length !== inputs * units || bias?.length !== units) return 'has no fitting weights';
  return { inputs, units, activation, kernel, bias };
}

function weightsByName(specs: NetworkFiles['weightSpecs'], data: ArrayBuffer): Map<string, Float32Array> {
  const weights = new Map<string, Float32Array>();
  let offset = 0;
  for (const { name, shape } of specs) {
    const length = shape.reduce((size, one) => size * one, 1);
    weights.set(name, new Float32Array(data, offset, length));
    offset += 4 * length;
  }
  return weights;
}
