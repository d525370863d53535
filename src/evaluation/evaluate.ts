import type { LoadedScorer } from '../score/load-scorer.js';
import type { Reading } from '../telemetry/reading.js';
import type { EpisodeRules } from '../twin/episodes.js';
import { OneClassError, Tally } from './figures.js';
import { replay, type Judged } from './replay.js';
import type { FaultRow, HealthyRow, Report } from './report.js';
import type { ScoresByCar } from './scores-by-car.js';
import { faultTrials, healthyTrials, type Trial, type TrialSize } from './simulated-cars.js';
import { checkTargets } from './targets.js';

export interface Evaluation {
  readonly scorer: Pick<LoadedScorer, 'model' | 'score' | 'threshold'>;
  readonly rules: EpisodeRules;
  readonly onProgress: (what: string, readings: number) => void;
}

/** On simulated cars of this seed: healthy ones of several kinds, and every fault. The same size, the same readings. */
export async function evaluateOnSimulation(size: TrialSize, evaluation: Evaluation): Promise<Report> {
  const { model, threshold } = evaluation.scorer;
  const healthy: HealthyRow[] = [];
  const unscored: Record<string, number> = {};
  let normal: ScoresByCar | undefined;
  for (const trial of healthyTrials(size)) {
    const tally = await tallyOf(trial, evaluation, unscored);
    normal ??= tally.normal;
    healthy.push({ cars: trial.name, ...tally.calm(threshold) });
  }
  const faults: FaultRow[] = [];
  for (const trial of faultTrials(size)) {
    const tally = await tallyOf(trial, evaluation, unscored);
    faults.push({ cars: trial.name, strength: trial.faults ?? '', ...tally.figures(threshold, normal) });
  }
  const targets = checkTargets(healthy, faults);
  return { model, threshold, source: sourceOf(size), healthy, faults, targets, unscored };
}

/**
 * On given readings, which are judged as they come.
 * @param each sees every judged reading
 * @returns without figures of failed readings where none is labelled so
 * @throws OneClassError where every reading is labelled as failed
 */
export async function evaluateOnReadings(
  readings: AsyncIterable<Reading>,
  source: string,
  { scorer, rules, onProgress }: Evaluation,
  each: (judged: Judged) => Promise<void> | void,
): Promise<Report> {
  const tally = new Tally();
  let count = 0;
  let labelled = 0;
  for await (const judged of replay(readings, scorer, rules)) {
    tally.take(judged);
    if (judged.reading.label !== null) labelled++;
    const written = each(judged);
    if (written) await written;
    if (++count % 10_000 === 0) onProgress(source, count);
  }
  tally.close();
  if (count === 0) throw new OneClassError(`${source} holds no readings`);
  const { model, threshold } = scorer;
  const calm = { cars: labelled === 0 ? 'unlabelled' : 'labelled as normal', ...tally.calm(threshold) };
  const base = { model, threshold, source, healthy: [calm], targets: [], unscored: tally.unscored };
  if (labelled === 0) return { ...base, faults: [] };
  return { ...base, faults: [{ cars: 'labelled as failed', strength: '', ...tally.figures(threshold) }] };
}

function sourceOf({ seed, cars, messages, noise = 0, climate }: TrialSize): string {
  const more = [...(noise > 0 ? [`${noise * 100} % noise`] : []), ...(climate ? [`${climate.join(' to ')} °C`] : [])];
  return [`simulated cars, seed ${seed}, ${cars} of each kind with ${messages} messages`, ...more].join(', ');
}

async function tallyOf(
  trial: Trial,
  { scorer, rules, onProgress }: Evaluation,
  unscored: Record<string, number>,
): Promise<Tally> {
  const tally = new Tally();
  let count = 0;
  const what = `${scorer.model}: ${trial.name}${trial.faults === null ? '' : `, ${trial.faults}`}`;
  for await (const judged of replay(trial.readings(), scorer, rules)) {
    tally.take(judged);
    if (++count % 10_000 === 0) onProgress(what, count);
  }
  tally.close();
  for (const [reason, readings] of Object.entries(tally.unscored))
    unscored[reason] = (unscored[reason] ?? 0) + readings;
  return tally;
}
