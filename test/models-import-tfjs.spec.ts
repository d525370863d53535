import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadScorer } from '../src/score/load-scorer.js';
import { readSignalsFolder } from '../src/score/signals-folder.js';
import { loadTensorflowForTraining, type Tensorflow } from '../src/score/tensorflow.js';
import { trainingCars } from '../src/simulator/training-cars.js';
import type { Reading } from '../src/telemetry/reading.js';

const MAIN = join(import.meta.dirname, '..', 'dist', 'src', 'cli', 'main.js');
const root = mkdtempSync(join(tmpdir(), 'fleet-twin-import-'));
afterAll(() => rmSync(root, { recursive: true }));

const SIGNALS = 'speed,engine_vibration_amplitude,throttlePos';
const RANGES = {
  speed: { min: 0, max: 50 },
  engineVibrationAmplitude: { min: 0, max: 7_500 },
  throttle_pos: { min: 0, max: 1 },
};

function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, 'models', 'import', 'tfjs', ...args], (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

const cars = () => trainingCars({ seed: 8, cars: 120, messages: 30 });

/** Speed, vibration and throttle in the ranges above, as -1..1. */
function rowOf({ signals: { speed, engineVibrationAmplitude, throttlePos } }: Reading): number[] {
  return [(speed ?? 0) / 25 - 1, (engineVibrationAmplitude ?? 0) / 3_750 - 1, 2 * (throttlePos ?? 0) - 1];
}

/** Trained with TensorFlow.js alone and written by its own writer, as somebody else would; in two shards, as Keras does. */
async function foreignModel(tf: Tensorflow, dir: string, layer: string): Promise<void> {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({
        inputShape: [3],
        units: 8,
        activation: 'tanh',
        kernelInitializer: tf.initializers.glorotUniform({ seed: 1 }),
      }),
      tf.layers.dense({
        units: 2,
        activation: layer as 'tanh',
        kernelInitializer: tf.initializers.glorotUniform({ seed: 2 }),
      }),
      tf.layers.dense({ units: 3, kernelInitializer: tf.initializers.glorotUniform({ seed: 3 }) }),
    ],
  });
  model.compile({ optimizer: tf.train.adam(0.01), loss: 'meanSquaredError' });
  const rows = tf.tensor2d([...cars()].map(rowOf));
  await model.fit(rows, rows, { epochs: 12, batchSize: 256, shuffle: false });
  rows.dispose();
  await model.save(`file://${dir}`);
  model.dispose();
  const file = join(dir, 'model.json');
  const json = JSON.parse(readFileSync(file, 'utf8'));
  const weights = readFileSync(join(dir, 'weights.bin'));
  json.weightsManifest[0].paths = ['group1-shard1of2.bin', 'group1-shard2of2.bin'];
  writeFileSync(join(dir, 'group1-shard1of2.bin'), weights.subarray(0, 40));
  writeFileSync(join(dir, 'group1-shard2of2.bin'), weights.subarray(40));
  rmSync(join(dir, 'weights.bin'));
  writeFileSync(file, JSON.stringify(json));
}

describe('fleet-twin models import tfjs', () => {
  const foreign = join(root, 'foreign');
  const ranges = join(root, 'ranges.json');
  const out = join(root, 'imported');
  let tf: Tensorflow;
  beforeAll(async () => {
    ({ tf } = await loadTensorflowForTraining());
    await foreignModel(tf, foreign, 'tanh');
    writeFileSync(ranges, JSON.stringify(RANGES));
    const file = [...cars()].map(({ car, at, signals }) => JSON.stringify({ car, timestamp: at, ...signals }));
    writeFileSync(join(root, 'readings.jsonl'), file.join('\n'));
  });

  it('makes a folder that scores as the network does, flags broken cars and blames the right signal', async () => {
    const { code, stderr, stdout } = await run(
      foreign,
      '--signals',
      SIGNALS,
      '--normaliser',
      ranges,
      '--out',
      out,
      '--name',
      'foreign',
    );
    expect([code, stderr]).toEqual([0, expect.stringContaining('simulated cars')]);
    expect(stdout).toMatch(/^foreign@[0-9a-f]{8}, threshold [\d.e-]+, flags 0\.\d+ % of held-out cars' readings/);
    expect(readdirSync(out).sort()).toEqual(['MODEL.md', 'metadata.json', 'model.json', 'weights.bin']);
    const scorer = await loadScorer({ dir: out, backend: 'wasm', evaluator: 'auto', log: () => undefined });
    const whole = [...trainingCars({ seed: 99, cars: 1, messages: 4 })].find(
      ({ signals }) => (signals.speed ?? 0) > 20,
    );
    if (!whole) throw new Error('no reading');
    const broken = {
      ...whole,
      signals: { ...whole.signals, engineVibrationAmplitude: 150 * (whole.signals.speed ?? 0) },
    };
    const scored = await scorer.score([whole, broken].map((reading) => ({ reading, memory: null })));
    await scorer.close();
    expect(scorer.evaluator).toBe('dense');
    const network = await tf.loadLayersModel(`file://${foreign}/model.json`);
    const row = rowOf(whole);
    const back = [...(network.predict(tf.tensor2d([row])) as ReturnType<typeof tf.tensor2d>).dataSync()];
    network.dispose();
    const squares = row.map((value, i) => (value - (back[i] ?? NaN)) ** 2);
    expect(scored[0]).toMatchObject({ kind: 'scored', score: { anomalous: false } });
    if (scored[0]?.kind === 'scored')
      expect(scored[0].score.value).toBeCloseTo(squares.reduce((sum, one) => sum + one, 0) / 3, 6);
    expect(scored[1]).toMatchObject({ kind: 'scored', score: { anomalous: true } });
  });

  it("takes one's own readings, and their mean and deviation where nothing is said of the normaliser", async () => {
    const own = join(root, 'own');
    const file = join(root, 'readings.jsonl');
    const args = [foreign, '--signals', SIGNALS, '--readings', file, '--out', own, '--name', 'own'];
    const { code, stdout } = await run(...args, '--score', 'worst-feature', '--missing', 'leave-unscored');
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^own@/)]);
    const { metadata } = readSignalsFolder(own);
    expect(metadata.inputs.map(({ name }) => name)).toEqual(['speed', 'engineVibrationAmplitude', 'throttlePos']);
    expect(metadata.calibration).toMatchObject({ readings: [...cars()].length, cars: 120 });
    expect([metadata.score, metadata.missing]).toEqual(['worst-feature', 'leave-unscored']);
    // Vibration is 100 times the speed, but for the sensors.
    const [speed, vibration] = metadata.inputs.map(({ normaliser }) => normaliser);
    if (speed?.kind !== 'standard' || vibration?.kind !== 'standard') throw new Error('not standard');
    expect(vibration.mean / speed.mean).toBeCloseTo(100, 0);
    expect(metadata.inputs.map(({ normalMean }) => Math.abs(normalMean) < 1e-9)).toEqual([true, true, true]);
    expect(readFileSync(join(own, 'MODEL.md'), 'utf8')).toContain('--score worst-feature --missing leave-unscored');
  });

  it('takes a network with activity regularisers, which TensorFlow.js itself does not load', async () => {
    const regular = join(root, 'regular');
    await foreignModel(tf, regular, 'relu');
    const file = join(regular, 'model.json');
    const text = readFileSync(file, 'utf8');
    const l1 = '"activity_regularizer":{"class_name":"L1L2","config":{"l1":1e-7,"l2":0}}';
    writeFileSync(file, text.replace('"activity_regularizer":null', l1));
    expect(readFileSync(file, 'utf8')).not.toBe(text);
    await expect(tf.loadLayersModel(`file://${file}`)).rejects.toThrow(/activity regularizer/);
    const { code } = await run(regular, '--signals', SIGNALS, '--out', join(root, 'regular-out'), '--name', 'regular');
    expect(code).toBe(0);
  });

  it.each([
    [
      ['--signals', 'speed,throttlePos'],
      /takes 3 numbers and gives 3 numbers; with 2 signals named it has to take and to give/,
    ],
    [['--signals', 'speed,throttlePos,torque'], /"torque" is no signal; there are coolantTemp, /],
    [['--signals', 'speed,throttlePos,speed'], /named twice/],
    [['--signals', SIGNALS, '--name', 'a b'], /letters, digits/],
    [['--signals', SIGNALS, '--normaliser', 'none.json'], /none\.json holds no normaliser: .*ENOENT/],
    [['--signals', SIGNALS, '--readings', 'none.csv'], /ENOENT.*none\.csv/],
  ] as const)('ends with one message and writes nothing: %j', async (args, message) => {
    const nowhere = join(root, 'nowhere');
    const { code, stdout, stderr } = await run(foreign, '--out', nowhere, '--name', 'x', ...args);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(message);
    expect(
      stderr
        .trim()
        .split('\n')
        .filter((line) => !line.startsWith('normal is')).length,
    ).toBe(1);
    expect(existsSync(nowhere)).toBe(false);
  });

  it('says what is wrong with a folder that holds no such network', async () => {
    const graph = join(root, 'graph');
    mkdirSync(graph);
    writeFileSync(
      join(graph, 'model.json'),
      JSON.stringify({ format: 'graph-model', modelTopology: {}, weightsManifest: [] }),
    );
    const few = join(root, 'few.jsonl');
    writeFileSync(few, readFileSync(join(root, 'readings.jsonl'), 'utf8').split('\n').slice(0, 20).join('\n'));
    for (const [dir, more, message] of [
      [graph, [], /TensorFlow\.js cannot load the network in .*graph: /],
      [join(root, 'none'), [], /model\.json cannot be read \(ENOENT\)/],
      [foreign, ['--readings', few], /20 readings of \d+ cars leave \d+ rows to/],
    ] as const) {
      const { code, stderr } = await run(
        dir,
        '--signals',
        SIGNALS,
        '--out',
        join(root, 'nowhere'),
        '--name',
        'x',
        ...more,
      );
      expect(code).toBe(1);
      expect(stderr).toMatch(message);
    }
  });
});
