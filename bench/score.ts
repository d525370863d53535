import { monitorEventLoopDelay } from 'node:perf_hooks';
import { readFileSync } from 'node:fs';
import { loadScorer, type LoadedScorer } from '../src/score/load-scorer.js';
import { quantileOf } from '../src/score/calibrate.js';
import { rocAuc, recallAt, shareAbove } from '../src/score/quality.js';
import { FAULT_NAMES, NO_HAZARDS, type FaultName, type Strength } from '../src/simulator/faults.js';
import { simulateFleet, type CarMessage, type FleetOptions } from '../src/simulator/fleet.js';
import type { ScoreMemory, ToScore } from '../src/telemetry/score.js';
import { SIGNALS, noSignals } from '../src/telemetry/signals.js';

/**
 *     node dist/bench/score.js speed [seconds a measurement]
 * Scores a second through the whole scorer (features, worker thread, TensorFlow, verdict) by batch size and backend.
 *     node dist/bench/score.js quality [seed] [file.csv]
 * How well the default model tells failed readings from normal ones, on simulated cars that it was not trained on, and on
 * a CSV of readings of older dynamics. One JSON object a line.
 */
const [task = 'speed', argument, csv] = process.argv.slice(2);
const BATCHES = [1, 100, 1_000];

async function measureSpeed(seconds: number): Promise<void> {
  for (const backend of ['native', 'wasm'] as const) {
    try {
      const scorer = await loadScorer({
        dir: 'models/default',
        backend,
        evaluator: 'tensorflow',
        log: () => undefined,
      });
      for (const size of BATCHES) report(backend, size, await measure(scorer, size, seconds));
      await scorer.close();
    } catch (error) {
      say({ backend, error: String(error) });
    }
  }
}

interface Measured {
  readonly scores: number;
  readonly seconds: number;
  readonly turnMs: { readonly p99: number; readonly longest: number };
}

async function measure(scorer: LoadedScorer, size: number, atLeast: number): Promise<Measured> {
  let batch = batchOf(size);
  for (let i = 0; i < 20; i++) batch = await scoredOnce(scorer, batch);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const start = performance.now();
  let scores = 0;
  while (performance.now() - start < atLeast * 1_000) {
    batch = await scoredOnce(scorer, batch);
    scores += size;
  }
  const seconds = (performance.now() - start) / 1_000;
  delay.disable();
  return { scores, seconds, turnMs: { p99: delay.percentile(99) / 1e6, longest: delay.max / 1e6 } };
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

function report(backend: string, batch: number, { scores, seconds, turnMs }: Measured): void {
  const rounded = { p99: Number(turnMs.p99.toFixed(1)), longest: Number(turnMs.longest.toFixed(1)) };
  say({ backend, batch, perSecond: Math.round(scores / seconds), turnMs: rounded });
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

interface Judged {
  readonly message: CarMessage;
  readonly score: number;
  readonly topSignal: string;
}

const FULL: Strength | Partial<Record<FaultName, Strength>> = {};
/** The weakest faults that are worth finding. */
const SUBTLE = { tire: 0.1, shock: 0.2, driveShaft: 0.3, overheating: 0.125, battery: 0.2, firmware: 0.1 };
const LIVES = {
  cars: 500,
  stepSeconds: 10,
  start: 0,
  hazards: NO_HAZARDS,
  variety: { style: 1, age: [0, 6_000] as const },
};
const STEPS = 120;

async function measureQuality(seed: number, csv: string | undefined): Promise<void> {
  const scorer = await loadScorer({ dir: 'models/default', backend: 'auto', evaluator: 'auto', log: () => undefined });
  const fleet = { ...LIVES, seed, messages: LIVES.cars * STEPS };
  const normal = await normalScores(scorer, { ...fleet, cars: 1_000, messages: 1_000 * STEPS }, 'varied');
  await normalScores(scorer, { ...fleet, variety: { style: 0, age: [0, 0] } }, 'new');
  await normalScores(scorer, { ...fleet, variety: { climate: [-30, -30] } }, '-30 °C');
  for (const [strength, given] of Object.entries({ full: FULL, subtle: SUBTLE }))
    for (const mode of FAULT_NAMES) {
      const faults = { faults: 1, faultModes: [mode], strength: given, repairAfter: Infinity };
      const judged = await drive(scorer, simulateFleet({ ...fleet, ...faults }));
      const failed = judged.filter(({ message }) => message.label === true);
      say({ fault: mode, strength, readings: failed.length, ...figures(normal, failed, scorer.threshold) });
    }
  if (csv !== undefined) await measureCsv(scorer, csv);
  await scorer.close();
}

async function normalScores(scorer: LoadedScorer, fleet: FleetOptions, cars: string): Promise<Float64Array> {
  const scores = sorted(await drive(scorer, simulateFleet(fleet)));
  say({ normal: cars, readings: scores.length, flagged: shareAbove(scores, scorer.threshold) });
  return scores;
}

function figures(normal: Float64Array, failed: readonly Judged[], threshold: number): object {
  const scores = sorted(failed);
  const blamed: Record<string, number> = {};
  for (const { score, topSignal } of failed) {
    const group = topSignal.replace(/\d+$/, '');
    if (score > threshold) blamed[group] = (blamed[group] ?? 0) + 1;
  }
  return {
    auc: Number(rocAuc(normal, scores).toFixed(5)),
    recallAtPermille: Number(recallAt(normal, scores, 0.001).toFixed(4)),
    flagged: Number(shareAbove(scores, threshold).toFixed(4)),
    blamed,
  };
}

function sorted(judged: readonly Judged[]): Float64Array {
  return Float64Array.from(judged, ({ score }) => score).sort();
}

/** Scores messages in order, in batches in which no car comes twice. */
async function drive(scorer: LoadedScorer, messages: Iterable<CarMessage>): Promise<Judged[]> {
  const memories = new Map<string, ScoreMemory | null>();
  const judged: Judged[] = [];
  let round = new Map<string, CarMessage>();
  const flush = async (): Promise<void> => {
    const batch = [...round.values()];
    round = new Map();
    const scored = await scorer.score(
      batch.map(({ car, at, signals, label }) => ({
        reading: { car, at, skewedAt: null, signals, label },
        memory: memories.get(car) ?? null,
      })),
    );
    batch.forEach((message, place) => {
      const one = scored[place];
      if (one?.kind !== 'scored') throw new Error(`not scored: ${one?.reason}`);
      memories.set(message.car, one.memory);
      judged.push({ message, score: one.score.value, topSignal: one.score.topSignals[0]?.signal ?? '' });
    });
  };
  for (const message of messages) {
    if (round.has(message.car)) await flush();
    round.set(message.car, message);
  }
  await flush();
  return judged;
}

/** Columns time, car and the 18 signals; the labels follow from rules on a row (and the car's row before). */
async function measureCsv(scorer: LoadedScorer, file: string): Promise<void> {
  const [header = '', ...lines] = readFileSync(file, 'utf8').trim().split('\n');
  const columns = header.trim().split(',').map(plain);
  const before = new Map<string, CarMessage>();
  const messages = lines.map((line, row): CarMessage => {
    const cells = line.trim().split(',');
    const signals = noSignals();
    for (const { name, wire } of SIGNALS) signals[name] = Number(cells[columns.indexOf(plain(wire))]);
    const car = cells[1] ?? '';
    const label = failedByRule(signals, before.get(car)?.signals);
    const message = { car, at: row, signals, label, failures: [] };
    before.set(car, message);
    return message;
  });
  const judged = await drive(scorer, messages);
  const normal = sorted(judged.filter(({ message }) => message.label === false));
  const failed = judged.filter(({ message }) => message.label === true);
  const healthy = { healthy: normal.length, healthyFlagged: shareAbove(normal, scorer.threshold) };
  const median = quantileOf(normal, 0.5);
  say({
    csv: file,
    ...healthy,
    healthyMedian: median,
    failed: failed.length,
    ...figures(normal, failed, scorer.threshold),
  });
}

function plain(name: string): string {
  return name.toLowerCase().replace(/_|value$/g, '');
}

function failedByRule(now: CarMessage['signals'], before: CarMessage['signals'] | undefined): boolean {
  const value = (name: keyof typeof now): number => now[name] ?? NaN;
  const wheels = ['11', '12', '21', '22'] as const;
  if (wheels.some((wheel) => value(`tirePressure${wheel}`) <= 24 || value(`accelerometer${wheel}`) >= 3)) return true;
  if (value('engineVibrationAmplitude') / value('speed') > 125 || value('controlUnitFirmware') === 1_000) return true;
  if (before === undefined) return false;
  const heat = value('coolantTemp') - (before.coolantTemp ?? NaN) - 0.008 * (before.speed ?? NaN);
  const current = value('currentDraw');
  return Math.abs(heat - 0.5 * current) < Math.abs(heat - 0.1 * current);
}

if (task === 'quality') await measureQuality(Number(argument ?? 20261), csv);
else await measureSpeed(Number(argument ?? 3));
