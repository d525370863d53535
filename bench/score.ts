import { monitorEventLoopDelay } from 'node:perf_hooks';
import { loadScorer, type LoadedScorer } from '../src/score/load-scorer.js';
import { DenseEvaluator } from '../src/score/dense-evaluator.js';
import { readModelFolder, type NetworkFiles } from '../src/score/model-folder.js';
import { SteadyThread } from '../src/score/steady-thread.js';
import { seeded } from '../src/score/seeded.js';
import { simulateFleet } from '../src/simulator/fleet.js';
import type { ScoreMemory, ToScore } from '../src/telemetry/score.js';

/**
 *     node dist/bench/score.js [seconds a measurement]
 * Scores a second by batch size and by who evaluates the network: the network alone, and the whole way of a reading
 * (features, network, verdict). One JSON object a line.
 */
const seconds = Number(process.argv[2] ?? 3);
const MODEL = 'models/default';
const BATCHES = [1, 100, 1_000];
const EVALUATORS = [
  { backend: 'native', evaluator: 'tensorflow' },
  { backend: 'wasm', evaluator: 'tensorflow' },
  { backend: 'auto', evaluator: 'auto' },
] as const;

const quiet = (): void => undefined;

async function measureAll(): Promise<void> {
  for (const { backend, evaluator } of EVALUATORS) {
    try {
      const scorer = await loadScorer({ dir: MODEL, backend, evaluator, log: quiet });
      const by = scorer.evaluator === 'dense' ? 'dense' : scorer.backend;
      for (const size of BATCHES) report('reading', by, size, await measure(scorer, size));
      await scorer.close();
      await measureNetwork(by);
    } catch (error) {
      say({ backend, evaluator, error: String(error) });
    }
  }
}

async function measureNetwork(by: 'dense' | 'native' | 'wasm'): Promise<void> {
  const { network, metadata } = readModelFolder(MODEL);
  const width = metadata.features.length;
  const { run, close } = await networkOf(by, network);
  const random = seeded(1);
  for (const size of BATCHES) {
    const inputs = Float32Array.from({ length: size * width }, () => 4 * random() - 2);
    const once = () => run(inputs.slice(), size);
    for (let i = 0; i < 200; i++) await once();
    report('network', by, size, await timed(size, once));
  }
  await close();
}

type Run = (inputs: Float32Array<ArrayBuffer>, rows: number) => unknown;

async function networkOf(
  by: 'dense' | 'native' | 'wasm',
  network: NetworkFiles,
): Promise<{ run: Run; close: () => Promise<void> }> {
  if (by === 'dense') {
    const dense = DenseEvaluator.of(network);
    if (typeof dense === 'string') throw new Error(dense);
    return { run: (inputs, rows) => dense.run(inputs, rows), close: () => Promise.resolve() };
  }
  const thread = await SteadyThread.start(by, network, quiet);
  return { run: (inputs, rows) => thread.run(inputs, rows), close: () => thread.close() };
}

interface Measured {
  readonly scores: number;
  readonly seconds: number;
  readonly turnMs: { readonly p99: number; readonly longest: number };
}

async function measure(scorer: LoadedScorer, size: number): Promise<Measured> {
  let batch = batchOf(size);
  const once = async (): Promise<void> => {
    batch = await scoredOnce(scorer, batch);
  };
  for (let i = 0; i < 20; i++) await once();
  return timed(size, once);
}

async function timed(size: number, once: () => unknown): Promise<Measured> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const start = performance.now();
  let scores = 0;
  while (performance.now() - start < seconds * 1_000) {
    const answer = once();
    if (answer instanceof Promise) await answer;
    scores += size;
  }
  const took = (performance.now() - start) / 1_000;
  delay.disable();
  return { scores, seconds: took, turnMs: { p99: delay.percentile(99) / 1e6, longest: delay.max / 1e6 } };
}

/** Each car's memory is handed from call to call, as the pipeline does. */
async function scoredOnce(scorer: LoadedScorer, batch: readonly ToScore[]): Promise<ToScore[]> {
  const scored = await scorer.score(batch);
  return batch.map(({ reading, memory }, place): ToScore => {
    const one = scored[place];
    const after: ScoreMemory | null = one?.kind === 'scored' ? one.memory : memory;
    return { reading, memory: after };
  });
}

function batchOf(size: number): ToScore[] {
  const messages = simulateFleet({ cars: size, seed: 7, start: 0, stepSeconds: 10, messages: size });
  return Array.from(messages, ({ car, at, signals, label }) => ({
    reading: { car, at, skewedAt: null, signals, label },
    memory: null,
  }));
}

function report(what: string, by: string, batch: number, { scores, seconds: took, turnMs }: Measured): void {
  const rounded = { p99: Number(turnMs.p99.toFixed(1)), longest: Number(turnMs.longest.toFixed(1)) };
  say({ what, by, batch, perSecond: Math.round(scores / took), turnMs: rounded });
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

await measureAll();
