import { createWriteStream, renameSync, rmSync, writeFileSync, type WriteStream } from 'node:fs';
import { once } from 'node:events';
import { Command, InvalidArgumentError } from 'commander';
import { evaluateOnReadings, evaluateOnSimulation, type Evaluation } from '../evaluation/evaluate.js';
import { reportTable, type Report } from '../evaluation/report.js';
import { episodeOf, type Judged } from '../evaluation/replay.js';
import { rulesOf } from '../pipeline/ingest.module.js';
import { loadScorer } from '../score/load-scorer.js';
import { readSettings } from '../settings/settings.js';
import { fileReadings } from './file-readings.js';
import { answer, tell, tick } from './terminal.js';

interface EvaluateFlags {
  readonly model?: string;
  readonly input?: string;
  readonly scores?: string;
  readonly json?: string;
  readonly seed: number;
  readonly cars: number;
  readonly messages: number;
}

export function evaluateCommand(): Command {
  return new Command('evaluate')
    .description('judge a model on simulated cars that it was not trained on, or on given readings')
    .option('--model <dir>', 'folder of the model (default: MODEL_DIR)')
    .option('--input <file>', 'readings to judge it on: FILE.csv, .jsonl or .avro; each with its car and its time')
    .option(
      '--scores <file>',
      'with --input: writes car,time,score,anomalous,episode for every reading, in their order',
    )
    .option('--json <file>', 'writes the figures there; - for standard output instead of the table')
    .option('--seed <n>', 'seed of the simulated cars', whole, 20_261)
    .option('--cars <n>', 'simulated cars of each kind', whole, 500)
    .option('--messages <n>', 'messages a car', whole, 120)
    .action(evaluate);
}

/** @throws Error with one message for the user */
async function evaluate(flags: EvaluateFlags): Promise<void> {
  const { input, scores, json } = flags;
  if (scores !== undefined && input === undefined) throw new Error('--scores goes with --input');
  const settings = readSettings(process.env);
  const dir = flags.model ?? settings.MODEL_DIR;
  const { TF_BACKEND: backend, SCORE_EVALUATOR: evaluator } = settings;
  const scorer = await loadScorer({ dir, backend, evaluator, log: (_, line) => tell(line) });
  const onProgress = (what: string, readings: number) => tick(`${what}: ${readings} readings`);
  const evaluation = { scorer, rules: rulesOf(settings), onProgress };
  try {
    const report = await (input === undefined
      ? evaluateOnSimulation(flags, evaluation)
      : evaluateOnFile(input, scores, evaluation));
    if (json === '-') return answer(JSON.stringify(report));
    if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, null, 1)}\n`);
    answer(reportTable(report));
  } finally {
    await scorer.close();
  }
}

/** The scores are written beside their place and moved there when they are complete. */
async function evaluateOnFile(input: string, scores: string | undefined, evaluation: Evaluation): Promise<Report> {
  if (scores === undefined) return evaluateOnReadings(fileReadings(input), input, evaluation, () => undefined);
  const fresh = `${scores}.new-${process.pid}`;
  const file = createWriteStream(fresh);
  const failed = once(file, 'error').then(([error]: Error[]) => Promise.reject(error ?? new Error('not written')));
  failed.catch(() => undefined);
  try {
    file.write('car,time,score,anomalous,episode\n');
    const judging = evaluateOnReadings(fileReadings(input), input, evaluation, (judged) => write(file, judged));
    const report = await Promise.race([judging, failed]);
    file.end();
    await Promise.race([once(file, 'close'), failed]);
    renameSync(fresh, scores);
    return report;
  } catch (error) {
    file.destroy();
    rmSync(fresh, { force: true });
    throw error;
  }
}

/** A reading that was not scored has an empty score; one that was sent twice is not anomalous again. */
async function write(file: WriteStream, judged: Judged): Promise<void> {
  const { reading, scored } = judged;
  const score = scored?.kind === 'scored' ? scored.score : null;
  const time = new Date(reading.at).toISOString();
  const row = [reading.car, time, score?.value ?? '', score?.anomalous ?? false, episodeOf(judged) ?? ''];
  if (!file.write(`${row.join(',')}\n`)) await once(file, 'drain');
}

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('It is not a whole number from 1 on.');
  return value;
}
