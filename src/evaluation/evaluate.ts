import type { LoadedScorer } from '../score/load-scorer.js';
import type { Reading } from '../telemetry/reading.js';
import type { EpisodeRules } from '../twin/episodes.js';
import { OneClassError, Tally } from './figures.js';
import { replay, type Judged } from './replay.js';
import type { Report } from './report.js';
import { faultTrials, healthyTrials, type Trial, type TrialSize } from './simulated-cars.js';

export interface Evaluation {
  readonly scorer: Pick<LoadedScorer, 'model' | 'score' | 'threshold'>;
  readonly rules: EpisodeRules;
  readonly onProgress: (what: string, readings: number) => void;
}

/** On simulated cars of this seed: healthy ones of several kinds, and every fault. */
export async function evaluateOnSimulation(size: TrialSize, evaluation: Evaluation): Promise<Report> {
  const { model, threshold } = evaluation.scorer;
  const healthy: Report['healthy'][number][] = [];
  let normal: readonly number[] = [];
  for (const trial of healthyTrials(size)) {
    const tally = await tallyOf(trial, evaluation);
    if (normal.length === 0) ({ normal } = tally);
    healthy.push({ cars: trial.name, ...tally.calm() });
  }
  const faults: Report['faults'][number][] = [];
  for (const trial of faultTrials(size)) {
    const tally = await tallyOf(trial, evaluation);
    faults.push({ cars: trial.name, strength: trial.faults ?? '', ...tally.figures(threshold, normal) });
  }
  return { model, threshold, source: `simulated cars, seed ${size.seed}`, healthy, faults };
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
  const calm = { cars: labelled === 0 ? 'unlabelled' : 'labelled as normal', ...tally.calm() };
  const base = { model, threshold, source, healthy: [calm] };
  if (labelled === 0) return { ...base, faults: [] };
  return { ...base, faults: [{ cars: 'labelled as failed', strength: '', ...tally.figures(threshold) }] };
}

async function tallyOf(trial: Trial, { scorer, rules, onProgress }: Evaluation): Promise<Tally> {
  const tally = new Tally();
  let count = 0;
  const what = `${trial.name}${trial.faults === null ? '' : `, ${trial.faults}`}`;
  for await (const judged of replay(trial.readings(), scorer, rules)) {
    tally.take(judged);
    if (++count % 10_000 === 0) onProgress(what, count);
  }
  tally.close();
  return tally;
}
