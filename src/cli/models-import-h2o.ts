import { Command, InvalidArgumentError, Option } from 'commander';
import { arrayCard } from '../score/array-card.js';
import { writeArrayFolder, type ArrayFolder } from '../score/array-folder.js';
import { tensorflowDifference } from '../score/array-scorer.js';
import { importH2o } from '../score/import-h2o.js';
import { TensorflowThread } from '../score/tensorflow-thread.js';
import { ARRAY_ERRORS, type ArrayErrorKind } from '../telemetry/array-reading.js';
import { answer, tell } from './terminal.js';

interface Flags {
  readonly out: string;
  readonly name: string;
  readonly score: ArrayErrorKind;
  readonly threshold?: number;
  readonly normal?: string;
}

/** `fleet-twin models import h2o FILE` */
export function importH2oCommand(): Command {
  return new Command('h2o')
    .description("makes a model folder of an H2O autoencoder's weights (JSON)")
    .argument('<file>', 'the weights, means and multipliers as JSON')
    .requiredOption('--out <dir>', 'folder of the model; replaced when it is there')
    .requiredOption('--name <name>', 'name of the model')
    .addOption(
      new Option('--score <error>', "raw: mean squared error in the values' unit; standardised: as H2O's anomaly()")
        .choices(ARRAY_ERRORS)
        .default('raw'),
    )
    .option('--threshold <number>', 'an array that scores above it is anomalous', positive)
    .option('--normal <file>', 'CSV of normal arrays: the highest of their scores becomes the threshold')
    .action(run);
}

/** TensorFlow may differ from double precision by so much of an error. */
const TOLERANCE = 1e-5;

async function run(path: string, flags: Flags): Promise<void> {
  if (flags.threshold !== undefined && flags.normal !== undefined)
    throw new Error('--threshold and --normal exclude each other');
  const { folder, unchecked, arrays } = importH2o(path, { ...flags, command: commandOf(path, flags) });
  const { metadata } = folder;
  for (const [data, { arrays: rows, largestDifference }] of Object.entries(metadata.source.expected))
    tell(`${data}: the errors of ${rows} arrays are those that the file expects, within ${largestDifference}`);
  for (const data of unchecked) tell(`${data} does not lie beside ${path}: what the file expects of it is not checked`);
  await compare(folder, arrays);
  writeArrayFolder(flags.out, folder, arrayCard(metadata));
  answer(`${metadata.name}@${metadata.version} for arrays of ${metadata.inputs}, written to ${flags.out}`);
  answer(`threshold ${metadata.threshold}: ${metadata.thresholdMade}`);
}

/** @throws Error where TensorFlow does not make the same of the network */
async function compare(folder: ArrayFolder, arrays: readonly Float64Array[]): Promise<void> {
  const all = [...arrays, ...folder.metadata.golden.map(({ values }) => Float64Array.from(values))];
  const reference = await TensorflowThread.start('auto', folder.network, () => undefined, 'process');
  try {
    const difference = await tensorflowDifference(folder, reference, all);
    const text = `TensorFlow (${reference.backend}) differs by ${difference.toExponential(1)} of an error at most`;
    // Not ">": a NaN must fail, too.
    if (!(difference <= TOLERANCE)) throw new Error(`the model is not imported: ${text}`);
    tell(`${text}, on ${all.length} arrays`);
  } finally {
    await reference.close();
  }
}

function commandOf(path: string, { out, name, score, threshold, normal }: Flags): string {
  const made =
    threshold !== undefined ? ` --threshold ${threshold}` : normal !== undefined ? ` --normal ${normal}` : '';
  return `fleet-twin models import h2o ${path} --out ${out} --name ${name} --score ${score}${made}`;
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError('It is not a number above 0.');
  return value;
}
