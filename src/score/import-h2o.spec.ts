import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ECG_DATA, ECG_WEIGHTS, aFolderOf, anH2oFile, hasEcgData, plainErrors } from '../../test/builders/h2o.js';
import { turnsDuring } from '../../test/builders/turns.js';
import { arrayCard } from './array-card.js';
import { readArrayCsv } from './array-csv.js';
import { readArrayFolder, writeArrayFolder } from './array-folder.js';
import { loadArrayScorer } from './array-scorer.js';
import { readH2oFile } from './h2o-file.js';
import { importH2o } from './import-h2o.js';

const CLI = join(import.meta.dirname, '..', '..', 'dist', 'src', 'cli', 'main.js');
const OPTIONS = { name: 'ecg', score: 'raw', command: 'the test' } as const;
const ARRAYS = [
  [0.5, -3, 2, 1, 4, -2],
  [5, 4, 3, 2, 1, 0],
];
const EVALUATORS = [
  { evaluator: 'auto', backend: 'auto', tolerance: 1e-12 },
  { evaluator: 'tensorflow', backend: 'auto', tolerance: 1e-6 },
  { evaluator: 'tensorflow', backend: 'wasm', tolerance: 1e-6 },
] as const;

const made: string[] = [];
afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true, force: true });
});

function folderWith(...content: Parameters<typeof aFolderOf>) {
  const folder = aFolderOf(...content);
  made.push(folder.dir);
  return folder;
}

function written(file: string, dir: string, options: Partial<Parameters<typeof importH2o>[1]> = {}) {
  const { folder } = importH2o(file, { ...OPTIONS, threshold: 1, ...options });
  const out = join(dir, 'model');
  writeArrayFolder(out, folder, arrayCard(folder.metadata));
  return out;
}

async function errorsFrom(
  dir: string,
  how: (typeof EVALUATORS)[number],
  arrays: readonly (readonly number[] | Float64Array)[],
) {
  const scorer = await loadArrayScorer({ dir, ...how, log: () => undefined });
  try {
    const scored = await scorer.score(arrays.map((values) => Float64Array.from(values)));
    return scored.map((one) => (one.kind === 'scored' ? one.score.errors : { raw: NaN, standardised: NaN }));
  } finally {
    await scorer.close();
  }
}

const apart = (got = NaN, wanted = NaN) => Math.abs(got - wanted) / Math.max(wanted, 1e-9);

describe('a model made of H2O weights', () => {
  it.each(EVALUATORS)('gives the errors of the definition through $evaluator ($backend)', async (how) => {
    const file = anH2oFile();
    const { file: path, dir } = folderWith(file);
    const errors = await errorsFrom(written(path, dir), how, ARRAYS);
    for (const [row, wanted] of ARRAYS.map((values) => plainErrors(file, values)).entries()) {
      expect(apart(errors[row]?.raw, wanted.raw)).toBeLessThanOrEqual(how.tolerance);
      expect(apart(errors[row]?.standardised, wanted.standardised)).toBeLessThanOrEqual(how.tolerance);
    }
  });

  it.runIf(hasEcgData()).each(EVALUATORS)(
    'of the public electrocardiograms gives what the file expects through $evaluator ($backend)',
    async (how) => {
      const { dir } = folderWith('');
      const { file } = readH2oFile(ECG_WEIGHTS);
      const model = written(ECG_WEIGHTS, dir);
      for (const [name, expected] of Object.entries(file.expected)) {
        const errors = await errorsFrom(model, how, readArrayCsv(join(ECG_DATA, `${name}.csv`), 210));
        expect(errors).toHaveLength(expected.score_raw.length);
        const differences = errors.flatMap(({ raw, standardised }, row) => [
          apart(raw, expected.score_raw[row]),
          apart(standardised, expected.mse_standardised[row]),
        ]);
        expect(Math.max(...differences)).toBeLessThanOrEqual(how.tolerance);
      }
    },
  );

  it.runIf(hasEcgData())('finds the three odd hearts and none of the twenty normal ones', async () => {
    const { dir } = folderWith('');
    const normal = join(ECG_DATA, 'ecg_discord_train.csv');
    const model = written(ECG_WEIGHTS, dir, { threshold: undefined, normal, score: 'standardised' });
    const scorer = await loadArrayScorer({ dir: model, evaluator: 'auto', backend: 'auto', log: () => undefined });
    const scored = await scorer.score(readArrayCsv(join(ECG_DATA, 'ecg_discord_test.csv'), 210));
    await scorer.close();
    const anomalous = scored.map((one) => one.kind === 'scored' && one.score.anomalous);
    expect(anomalous.flatMap((is, row) => (is ? [row] : []))).toEqual([20, 21, 22]);
  });

  it('leaves others their turns while many arrays are scored', async () => {
    const { file, dir } = folderWith(anH2oFile());
    const model = written(file, dir);
    const scorer = await loadArrayScorer({ dir: model, evaluator: 'auto', backend: 'auto', log: () => undefined });
    const arrays = Array.from({ length: 300_000 }, () => new Float64Array(6).fill(0.5));
    let scored: unknown[] = [];
    const before = process.cpuUsage();
    const turns = await turnsDuring(async () => void (scored = await scorer.score(arrays)));
    const { user, system } = process.cpuUsage(before);
    await scorer.close();
    expect(scored).toHaveLength(arrays.length);
    // Each takes a millisecond; what a busy machine gives to others is not counted.
    expect(turns).toBeGreaterThan((user + system) / 1_000 / 10);
  });

  it('is the same to the last byte when it is made again', () => {
    const { file, dir } = folderWith(anH2oFile());
    const first = written(file, dir);
    const bytes = () => readdirSync(first).map((name) => readFileSync(join(first, name)).toString('base64'));
    const before = bytes();
    written(file, dir);
    expect(bytes()).toEqual(before);
  });

  it('that does not give what its file expects of data beside it is not made', () => {
    const file = anH2oFile();
    const errors = ARRAYS.map((values) => plainErrors(file, values));
    const expected = {
      hearts: { score_raw: errors.map(({ raw }) => raw), mse_standardised: errors.map((one) => one.standardised) },
    };
    const good = folderWith({ ...file, expected }, { hearts: ARRAYS });
    const { folder } = importH2o(good.file, { ...OPTIONS, threshold: 1 });
    expect(folder.metadata.source.expected['hearts']?.arrays).toBe(2);
    expected.hearts.score_raw[1] = (expected.hearts.score_raw[1] ?? 0) * (1 + 1e-9);
    const bad = folderWith({ ...file, expected }, { hearts: ARRAYS });
    expect(() => importH2o(bad.file, { ...OPTIONS, threshold: 1 })).toThrow(/hearts\.csv, line 2: score_raw should be/);
  });

  it.each([
    ['weights64.bin', 'exact weight 1 is'],
    ['weights.bin', 'exact weight 1 is'],
  ])('whose %s was changed does not score in double precision', async (name) => {
    const { file, dir } = folderWith(anH2oFile());
    const model = written(file, dir);
    const bytes = readFileSync(join(model, name));
    bytes[3] = (bytes[3] ?? 0) ^ 0x55;
    bytes[6] = (bytes[6] ?? 0) ^ 0x55;
    writeFileSync(join(model, name), bytes);
    const loading = loadArrayScorer({ dir: model, evaluator: 'auto', backend: 'auto', log: () => undefined });
    if (name === 'weights.bin') await expect(loading).rejects.toThrow(/golden array/);
    else {
      const scorer = await loading;
      expect(scorer.evaluator).toBe('tensorflow');
      await scorer.close();
    }
  });

  it('whose normaliser was changed is refused', async () => {
    const { file, dir } = folderWith(anH2oFile());
    const model = written(file, dir);
    const { metadata } = readArrayFolder(model);
    metadata.normaliser.mean[0] = (metadata.normaliser.mean[0] ?? 0) + 0.01;
    writeFileSync(join(model, 'metadata.json'), JSON.stringify(metadata));
    await expect(
      loadArrayScorer({ dir: model, evaluator: 'auto', backend: 'auto', log: () => undefined }),
    ).rejects.toThrow(/golden array 1/);
  });
});

const NO_EXPECTED = /too few expected errors/;

describe('fleet-twin models import h2o', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [CLI, 'models', 'import', 'h2o', ...args], { encoding: 'utf8' });

  it('writes a folder that can be loaded, and says how the threshold was made', () => {
    const { file, dir } = folderWith(anH2oFile());
    const out = join(dir, 'out');
    const { status, stdout, stderr } = run(file, '--out', out, '--name', 'small', '--threshold', '0.5');
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(stdout).toMatch(/^small@[0-9a-f]{8} for arrays of 6, written to .*\nthreshold 0.5: given at the import\n$/);
    expect(readArrayFolder(out).metadata).toMatchObject({ kind: 'array', inputs: 6, threshold: 0.5, score: 'raw' });
  });

  const weights = anH2oFile();
  it.each([
    ['that is not there', null, /cannot be read \(ENOENT\)/],
    ['that is no JSON', '{"layers": [', /is no JSON/],
    ['of something else', { hello: 'world' }, /layers: /],
    [
      'with a missing weight',
      { ...weights, weights: [[[1]], ...weights.weights.slice(1)] },
      /layer 1 are not 4 rows of 6/,
    ],
    ['with a missing bias', { ...weights, biases: [[1], ...weights.biases.slice(1)] }, /layer 1 has not 4 biases/],
    ['with a text for a weight', { ...weights, means: ['x', 1, 2, 3, 4, 5] }, /means\.0: /],
    [
      'with an activation that is not known',
      { ...weights, activations: ['Maxout', 'tanh', 'tanh'] },
      /activation Maxout/,
    ],
    ['with a multiplier of 0', { ...weights, mults: [0, 1, 1, 1, 1, 1] }, /a mult is 0/],
    ['of no autoencoder', { ...weights, layers: [6, 4, 3, 2] }, /gives 2: no autoencoder/],
    ['without anything to make a threshold of', weights, NO_EXPECTED],
  ])('says one line about a file %s, and writes nothing', (_, content, message) => {
    const { file, dir } = folderWith(content ?? '');
    if (content === null) rmSync(file);
    const args = message === NO_EXPECTED ? [] : ['--threshold', '1'];
    const { status, stdout, stderr } = run(file, '--out', join(dir, 'out'), '--name', 'x', ...args);
    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(readdirSync(dir).filter((name) => name !== 'weights.json')).toEqual([]);
  });

  it('leaves a model that was there as it is when the file is bad', () => {
    const { file, dir } = folderWith(anH2oFile());
    const out = written(file, dir);
    writeFileSync(file, 'nothing');
    expect(run(file, '--out', out, '--name', 'x').status).toBe(1);
    expect(readArrayFolder(out).metadata.name).toBe('ecg');
  });
});
