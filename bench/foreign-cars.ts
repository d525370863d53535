import { Tally } from '../src/evaluation/figures.js';
import { replay } from '../src/evaluation/replay.js';
import { reportTable } from '../src/evaluation/report-table.js';
import { rulesOf } from '../src/settings/episode-rules.js';
import { loadScorer } from '../src/score/load-scorer.js';
import { readSettings } from '../src/settings/settings.js';
import { readCsv } from '../src/simulator/csv.js';
import type { Reading } from '../src/telemetry/reading.js';
import type { Signals } from '../src/telemetry/signals.js';

/**
 *     node dist/bench/foreign-cars.js FILE.csv
 * How the default model judges cars of older dynamics (charge as a fraction, other battery and coolant formulas), whose
 * labels follow from rules on a row and the car's row before.
 */
const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('which file? node dist/bench/foreign-cars.js FILE.csv');

async function* labelled(path: string): AsyncGenerator<Reading> {
  const before = new Map<string, Signals>();
  for await (const { car, at, signals } of readCsv(path)) {
    yield { car, at, skewedAt: null, signals, label: failedByRule(signals, before.get(car)) };
    before.set(car, signals);
  }
}

function failedByRule(now: Signals, before: Signals | undefined): boolean {
  const value = (name: keyof typeof now): number => now[name] ?? NaN;
  const wheels = ['11', '12', '21', '22'] as const;
  if (wheels.some((wheel) => value(`tirePressure${wheel}`) <= 24 || value(`accelerometer${wheel}`) >= 3)) return true;
  if (value('engineVibrationAmplitude') / value('speed') > 125 || value('controlUnitFirmware') === 1_000) return true;
  if (before === undefined) return false;
  const heat = value('coolantTemp') - (before.coolantTemp ?? NaN) - 0.008 * (before.speed ?? NaN);
  const current = value('currentDraw');
  return Math.abs(heat - 0.5 * current) < Math.abs(heat - 0.1 * current);
}

const scorer = await loadScorer({ dir: 'models/default', backend: 'auto', evaluator: 'auto', log: () => undefined });
const tally = new Tally();
for await (const judged of replay(labelled(file), scorer, rulesOf(readSettings({})))) tally.take(judged);
tally.close();
const { model, threshold } = scorer;
const calm = { cars: 'healthy by the rules', ...tally.calm(threshold) };
const faults = [{ cars: 'failed by the rules', strength: '', ...tally.figures(threshold) }];
const report = { model, threshold, source: file, healthy: [calm], faults, targets: [], unscored: tally.unscored };
process.stdout.write(`${reportTable({ ...report, against: [] })}\n`);
await scorer.close();
