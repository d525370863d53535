import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = join(import.meta.dirname, '..', 'src');

/** What a folder of src/ may import; files at the top of src/ put everything together. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  telemetry: [],
  settings: [],
  // Who may see what.
  access: [],
  log: [],
  kafka: ['log'],
  'mqtt-bridge': ['kafka', 'telemetry', 'log', 'health', 'metrics'],
  decode: ['telemetry'],
  score: ['telemetry', 'simulator', 'log', 'kafka'],
  // Kafka's log is one source, the history another.
  training: ['telemetry', 'kafka', 'decode', 'twin'],
  twin: ['telemetry', 'health'],
  // The models in use, for the pipeline; what they are is the registry's to know.
  registry: ['telemetry', 'kafka', 'score', 'twin', 'log', 'metrics', 'health'],
  pipeline: ['telemetry', 'kafka', 'decode', 'score', 'registry', 'twin', 'log', 'metrics', 'health'],
  evaluation: ['telemetry', 'score', 'twin', 'pipeline', 'simulator'],
  rollup: ['telemetry', 'twin', 'log'],
  // Windows of time are told by rollups where they suffice.
  fleet: ['telemetry', 'twin', 'rollup', 'access'],
  // Reading the history back: a twin as of an instant, figures per bucket, plots, files.
  history: ['telemetry', 'twin', 'rollup', 'access'],
  // What cars are to do: from MongoDB to the car and back.
  commands: ['telemetry', 'twin', 'mqtt-bridge', 'log', 'health', 'metrics'],
  graphql: [
    'telemetry',
    'twin',
    'rollup',
    'fleet',
    'history',
    'commands',
    'access',
    'health',
    'log',
    'registry',
    'score',
  ],
  health: [],
  metrics: [],
  // Simulated cars produce into Kafka as the service does, and its files are read as records are.
  simulator: ['telemetry', 'kafka', 'decode'],
};
const SPEC = /\.spec\.ts$/;
const MAY_READ_SETTINGS = /(\.module|^main|^service)\.ts$/;

interface Import {
  readonly file: string;
  readonly target: string;
}

const sources = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.ts') && !SPEC.test(file),
);
const imports: Import[] = sources.flatMap((file) =>
  [...readFileSync(join(SRC, file), 'utf8').matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((match) => ({
    file,
    target: relative(SRC, normalize(join(SRC, dirname(file), match[1] ?? ''))),
  })),
);
/** Not types, and not what is imported where it is needed. */
const LOADED_AT_ONCE = /^(?:import|export) (?!type )(?:[^;]*? from )?'([^']+)'/gm;
const folderOf = (path: string) => (path.includes('/') ? (path.split('/')[0] ?? '') : '');

describe('arrows between the folders of src/', () => {
  it('point where they may', () => {
    const wrong = imports.filter(({ file, target }) => {
      const from = folderOf(file);
      const to = folderOf(target);
      if (from === '' || from === 'cli' || from === to || to === 'settings') return false;
      return !(ARROWS[from]?.includes(to) ?? false);
    });
    expect(wrong).toEqual([]);
  });

  it('every folder has its arrows said', () => {
    const folders = new Set(sources.map(folderOf).filter((folder) => folder !== '' && folder !== 'cli'));
    expect([...folders].filter((folder) => !(folder in ARROWS))).toEqual([]);
  });

  it('only modules and the top read the settings', () => {
    const readers = imports.filter(
      ({ file, target }) => folderOf(target) === 'settings' && folderOf(file) !== 'settings',
    );
    const others = readers.filter(
      ({ file }) => folderOf(file) !== 'cli' && !MAY_READ_SETTINGS.test(file.split('/').at(-1) ?? ''),
    );
    expect(others.map(({ file }) => file).filter((file) => file !== 'app.module.ts')).toEqual([]);
  });

  it('the command line comes up without Nest and GraphQL, which `serve` alone loads', () => {
    const loaded = ['cli/main.ts'];
    const packages = new Set<string>();
    for (const file of loaded)
      for (const [, name = ''] of readFileSync(join(SRC, file), 'utf8').matchAll(LOADED_AT_ONCE)) {
        const source = relative(SRC, join(SRC, dirname(file), name)).replace(/\.js$/, '.ts');
        if (!name.startsWith('.')) packages.add(name);
        else if (!source.startsWith('..') && !loaded.includes(source)) loaded.push(source);
      }
    expect(loaded).toEqual(expect.arrayContaining(['cli/serve.ts', 'cli/train-source.ts', 'settings/settings.ts']));
    expect([...packages].filter((name) => /nest|graphql|mercurius|fastify/.test(name))).toEqual([]);
  });

  it('there are no dumping grounds and no barrels', () => {
    expect(
      sources.filter(
        (file) => /(^|\/)(utils?|common|shared|helpers?|core|misc)\//.test(file) || /(^|\/)index\.ts$/.test(file),
      ),
    ).toEqual([]);
  });

  it('no file is longer than 250 lines', () => {
    const long = sources.filter((file) => readFileSync(join(SRC, file), 'utf8').split('\n').length > 251);
    expect(long).toEqual([]);
  });
});
