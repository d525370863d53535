import { describe, expect, it } from 'vitest';
import { FEATURE_COUNT } from './features.js';
import { readModelFolder, type NetworkFiles } from './model-folder.js';
import { SteadyThread } from './steady-thread.js';
import { TensorflowThread } from './tensorflow-thread.js';

const { network } = readModelFolder('models/default');
const row = (): Float32Array<ArrayBuffer> => new Float32Array(FEATURE_COUNT).fill(0.5);
const quiet = (): void => undefined;

/** The network with every weight NaN. */
function broken(): NetworkFiles {
  const weightData = new Float32Array(network.weightData.byteLength / 4).fill(NaN).buffer;
  return { ...network, weightData };
}

describe('SteadyThread', () => {
  it.each(['native', 'wasm'] as const)(
    'is started anew when its %s worker dies, and answers as before',
    async (backend) => {
      const lines: string[] = [];
      const thread = await SteadyThread.start(backend, network, (_, line) => lines.push(line));
      const before = await thread.run(row(), 1);
      // An input of a wrong width is the model's failure, not the worker's.
      await expect(thread.run(new Float32Array(3), 1)).rejects.toThrow();
      expect(lines).toEqual([]);
      // So many rows that the worker dies over them.
      const cut = thread.run(new Float32Array(200_000 * FEATURE_COUNT), 200_000);
      const failed = expect(cut).rejects.toThrow(/worker ended/);
      await thread.kill();
      await failed;
      expect(await thread.run(row(), 1)).toEqual(before);
      expect(lines).toEqual([expect.stringMatching(/worker ended with code 1; it is started anew/)]);
      await thread.close();
    },
  );

  it('ends while it is being started anew', async () => {
    const thread = await SteadyThread.start('wasm', network, quiet);
    await thread.kill();
    await thread.close();
    await expect(thread.run(row(), 1)).rejects.toThrow('the model has been closed');
  });

  it('hands on what a broken network says', async () => {
    const thread = await SteadyThread.start('wasm', broken(), quiet);
    expect((await thread.run(row(), 1))[0]).toBeNaN();
    await thread.close();
  });
});

describe('TensorflowThread', () => {
  it('says why it does not start', async () => {
    const cut = { ...network, weightData: network.weightData.slice(4) };
    await expect(TensorflowThread.start('wasm', cut, quiet)).rejects.toThrow();
  });
});
