import type * as tfjs from '@tensorflow/tfjs';
import { readNetwork, type NetworkFiles } from './model-folder.js';
import { loadNetwork, type Tensorflow } from './tensorflow.js';

/** What is there to import is no network from a vector to one of the same width. */
export class NotImportableError extends Error {
  readonly code = 'NOT_IMPORTABLE';
}

/**
 * The network of a folder that TensorFlow.js or its converter from Keras wrote.
 * @param width numbers that it has to take and to give
 * @throws NotImportableError, BadModelError
 */
export async function loadForeignNetwork(tf: Tensorflow, dir: string, width: number): Promise<tfjs.LayersModel> {
  const model = await loaded(tf, dir, readNetwork(dir));
  const inputs = model.inputs.map(({ shape }) => shape);
  const outputs = model.outputs.map(({ shape }) => shape);
  const wanted = (shapes: typeof inputs) => shapes.length === 1 && shapes[0]?.length === 2 && shapes[0][1] === width;
  if (wanted(inputs) && wanted(outputs)) return model;
  model.dispose();
  throw new NotImportableError(
    `the network in ${dir} takes ${shapesText(inputs)} and gives ${shapesText(outputs)}; with ${width} signals named it has ` +
      `to take and to give one vector of ${width} numbers`,
  );
}

async function loaded(tf: Tensorflow, dir: string, network: NetworkFiles): Promise<tfjs.LayersModel> {
  try {
    return await loadNetwork(tf, { ...network, modelTopology: withoutActivity(network.modelTopology) as object });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new NotImportableError(`TensorFlow.js cannot load the network in ${dir}: ${why}`, { cause: error });
  }
}

/** Activity regularisers are a matter of training, and TensorFlow.js refuses layers that have one. */
function withoutActivity(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(withoutActivity);
  if (typeof part !== 'object' || part === null) return part;
  const kept = Object.entries(part).filter(([name]) => !/^activity_?regularizer$/i.test(name));
  return Object.fromEntries(kept.map(([name, value]) => [name, withoutActivity(value)]));
}

function shapesText(shapes: readonly (readonly (number | null)[])[]): string {
  const texts = shapes.map(([, ...rest]) => (rest.length === 1 ? `${rest[0]} numbers` : `[${rest.join(' × ')}]`));
  return texts.join(' and ');
}
