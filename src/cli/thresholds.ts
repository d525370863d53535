import { Command, InvalidArgumentError } from 'commander';
import { loadScorer } from '../score/load-scorer.js';
import { modelCard } from '../score/model-card.js';
import { readModelFolder, writeModelFolder } from '../score/model-folder.js';
import { recalibrate, type Recalibrated } from '../score/recalibrate.js';
import { SteadyThread } from '../score/steady-thread.js';
import { readSettings } from '../settings/settings.js';
import { fileReadings } from './file-readings.js';
import { answer, tell } from './terminal.js';
import { suggestCommand } from './thresholds-suggest.js';

const MOST_NAMED = 10;

interface CalibrateFlags {
  readonly model?: string;
  readonly input: string;
  readonly out: string;
  readonly name?: string;
  readonly quantile: number;
  readonly keepAll?: true;
}

export function thresholdsCommand(): Command {
  const thresholds = new Command('thresholds').description('what a model takes for normal');
  thresholds
    .command('calibrate')
    .description("set a model's normal errors and threshold anew on readings of these cars, most of them healthy")
    .option('--model <dir>', 'folder of the model (default: MODEL_DIR)')
    .requiredOption(
      '--input <file>',
      'FILE.csv, .jsonl or .avro; no labels are needed, readings labelled as failed are left out',
    )
    .requiredOption('--out <dir>', 'folder of the new model; replaced when it is there')
    .option('--name <name>', 'name of the new model (default: that of the old one)')
    .option('--quantile <share>', 'share of the readings that stays at or below the threshold', share, 0.99)
    .option('--keep-all', 'also takes what looks like a failure for normal')
    .action(calibrate);
  return thresholds.addCommand(suggestCommand());
}

/** @throws Error with one message for the user; nothing is written then */
async function calibrate({ model, input, out, name, quantile, keepAll }: CalibrateFlags): Promise<void> {
  const settings = readSettings(process.env);
  const dir = model ?? settings.MODEL_DIR;
  const backend = settings.TF_BACKEND;
  const log = (_: unknown, line: string) => tell(line);
  // Refuses a folder that is no model, and one whose golden inputs fail.
  await (await loadScorer({ dir, backend, evaluator: 'tensorflow', log })).close();
  const folder = readModelFolder(dir);
  const thread = await SteadyThread.start(backend, folder.network, log);
  try {
    const options = { name: name ?? folder.metadata.name, source: input, quantile, robust: keepAll !== true };
    const readings = () => fileReadings(input);
    const { folder: fresh, leftOut } = await recalibrate(folder, readings, (rows, n) => thread.run(rows, n), options);
    writeModelFolder(out, fresh, modelCard(fresh.metadata));
    const { version, threshold, metrics, calibration } = fresh.metadata;
    if (leftOut.size > 0) tell(leftOutLine(leftOut, calibration?.cars ?? 0));
    const flagged = ((metrics['flaggedOfThem'] ?? 0) * 100).toFixed(2);
    answer(
      `${options.name}@${version}, threshold ${threshold.toFixed(3)}, flags ${flagged} % of held-out cars' readings, in ${out}`,
    );
  } finally {
    await thread.close();
  }
}

/** Which cars look like failing, so that somebody can contradict. */
function leftOutLine(leftOut: Recalibrated['leftOut'], cars: number): string {
  const some = [...leftOut].slice(0, MOST_NAMED).map(([car, signal]) => `${car} (${signal})`);
  const more = leftOut.size > MOST_NAMED ? ` and ${leftOut.size - MOST_NAMED} more` : '';
  return `left out what looks like a failure in ${leftOut.size} of ${cars} cars: ${some.join(', ')}${more}; --keep-all takes it in`;
}

function share(text: string): number {
  const value = Number(text);
  if (!(value > 0.5 && value < 1)) throw new InvalidArgumentError('It must lie between 0.5 and 1.');
  return value;
}
