import { accessSync, constants, createWriteStream, renameSync, rmSync, writeFileSync, type WriteStream } from 'node:fs';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { evaluateOnReadings, evaluateOnSimulation, type Evaluation } from '../evaluation/evaluate.js';
import type { Comparison, Report } from '../evaluation/report.js';
import { reportPage } from '../evaluation/page.js';
import { reportTable } from '../evaluation/report-table.js';
import { episodeOf, type Judged } from '../evaluation/replay.js';
import type { TrialSize } from '../evaluation/simulated-cars.js';
import { rulesOf } from '../settings/episode-rules.js';
import { readSettings } from '../settings/settings.js';
import { countOf, rangeOf, shareOf } from '../simulator/arguments.js';
import { closeAll, openContestants, openModel, type Contestant } from './contestants.js';
import { fileReadings } from './file-readings.js';
import { answer, tick } from './terminal.js';

interface EvaluateFlags extends TrialSize {
  readonly model?: string;
  readonly against: readonly string[];
  readonly input?: string;
  readonly scores?: string;
  readonly json?: string;
  readonly report?: string;
}

export function evaluateCommand(): Command {
  return new Command('evaluate')
    .description('judge a model on simulated cars that it was not trained on, or on given readings')
    .option('--model <dir>', 'folder of the model (default: MODEL_DIR)')
    .option(
      '--against <models>',
      'puts others beside it, on the same readings: champion (the one in use), reference, rules, folders, names in models/',
      (text: string) => text.split(',').filter((name) => name !== ''),
      [],
    )
    .option('--input <file>', 'readings to judge it on: FILE.csv, .jsonl or .avro; each with its car and its time')
    .option(
      '--scores <file>',
      'with --input: writes car,time,score,anomalous,episode for every reading, in their order',
    )
    .option('--json <file>', 'writes the figures there; - for standard output instead of the table')
    .option('--report <file.html>', 'writes one page with plots, tables and targets that needs nothing from elsewhere')
    .option('--seed <n>', 'seed of the simulated cars', parsed(countOf), 20_261)
    .option('--cars <n>', 'simulated cars of each kind', parsed(countOf), 500)
    .option('--messages <n>', 'messages a car', parsed(countOf), 120)
    .option('--noise <share>', 'standard deviation of all sensors, of the value (1%)', parsed(shareOf))
    .option('--climate <low..high>', '°C of the air that all cars drive in', parsed(rangeOf))
    .action(evaluate);
}

/** @throws Error with one message for the user */
async function evaluate(flags: EvaluateFlags): Promise<void> {
  const { input, scores } = flags;
  if (scores !== undefined && input === undefined) throw new Error('--scores goes with --input');
  for (const file of [flags.json, flags.report]) if (file !== undefined && file !== '-') checkPlace(file);
  const settings = readSettings(process.env);
  const dir = flags.model ?? settings.MODEL_DIR;
  const contestants = await openContestants(flags.against, dir, settings);
  try {
    const judged = { name: dir, scorer: await openModel(dir, settings) };
    contestants.push(judged);
    const onProgress = (what: string, readings: number) => tick(`${what}: ${readings} readings`);
    const evaluation = { rules: rulesOf(settings), onProgress };
    const report = await judge(judged, flags, scores, evaluation);
    const against: ({ name: string } & Report)[] = [];
    for (const other of contestants.filter((one) => one !== judged))
      against.push({ name: other.name, ...(await judge(other, flags, undefined, evaluation)) });
    publish({ ...report, against }, flags);
  } finally {
    await closeAll(contestants);
  }
}

function judge(
  { scorer }: Contestant,
  flags: EvaluateFlags,
  scores: string | undefined,
  rest: Omit<Evaluation, 'scorer'>,
): Promise<Report> {
  const { input } = flags;
  const evaluation = { scorer, ...rest };
  return input === undefined ? evaluateOnSimulation(flags, evaluation) : evaluateOnFile(input, scores, evaluation);
}

/** @throws Error where no file can be written: better now than when all is judged */
function checkPlace(file: string): void {
  try {
    accessSync(dirname(file), constants.W_OK);
  } catch (error) {
    throw new Error(`${file} cannot be written (${(error as NodeJS.ErrnoException).code})`, { cause: error });
  }
}

function publish(report: Comparison, { json, report: page }: EvaluateFlags): void {
  if (page !== undefined) writeFileSync(page, reportPage(report));
  if (json === '-') return answer(JSON.stringify(report));
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, null, 1)}\n`);
  answer(reportTable(report));
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

function parsed<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      throw new InvalidArgumentError(`It ${(error as Error).message}.`);
    }
  };
}
