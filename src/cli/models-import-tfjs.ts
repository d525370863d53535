import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { roleOf } from '../decode/field-names.js';
import { importTfjs, type NormaliserChoice } from '../score/import-tfjs.js';
import { writeModelFolder } from '../score/model-folder.js';
import { signalsCard } from '../score/signals-card.js';
import { signalNormaliserSchema, type SignalNormaliser, type SignalsMetadata } from '../score/signals-folder.js';
import { trainingCars } from '../simulator/training-cars.js';
import { SIGNAL_NAMES, type SignalName } from '../telemetry/signals.js';
import { fileReadings } from './file-readings.js';
import { answer, tell } from './terminal.js';

interface Flags extends Pick<SignalsMetadata, 'score' | 'missing' | 'quantile'> {
  readonly signals: readonly SignalName[];
  readonly out: string;
  readonly name: string;
  readonly readings?: string;
  readonly normaliser: string;
}

/** Cars of the simulator that set what is normal where no readings are given. */
const CARS = { seed: 1, cars: 1_000, messages: 60 };

/** `fleet-twin models import tfjs DIR` */
export function importTfjsCommand(): Command {
  return new Command('tfjs')
    .description(
      'makes a model folder of a LayersModel (TensorFlow.js, Keras) that gives back a vector of named signals',
    )
    .argument('<dir>', 'folder with model.json and the weights')
    .requiredOption('--signals <names>', 'the signals, in the order of the inputs: speed,throttlePos,…', signalNames)
    .requiredOption('--out <dir>', 'folder of the model; replaced when it is there')
    .requiredOption('--name <name>', 'name of the model', modelName)
    .option(
      '--readings <file>',
      "FILE.csv, .jsonl or .avro of one's own cars, failed ones left out (default: the simulator's healthy cars)",
    )
    .option(
      '--normaliser <how>',
      'what the network was trained with: standard (mean and deviation of the readings), none, or a JSON file',
      'standard',
    )
    .addOption(
      new Option('--score <score>', 'what the score is')
        .choices(['mean-squared-error', 'worst-feature'])
        .default('mean-squared-error'),
    )
    .addOption(
      new Option('--missing <how>', 'what becomes of a missing signal')
        .choices(['leave-out', 'leave-unscored'])
        .default('leave-out'),
    )
    .option('--quantile <share>', 'share of the normal readings at or below the threshold', share, 0.9995)
    .action(run);
}

/** @throws Error with one message for the user; nothing is written then */
async function run(dir: string, flags: Flags): Promise<void> {
  const { signals, out, name, readings, score, missing, quantile } = flags;
  const normaliser = normaliserOf(flags.normaliser, signals);
  const own = readings !== undefined;
  const source = own ? `the file ${readings}` : `${CARS.cars} simulated cars, ${CARS.messages} messages each`;
  tell(`normal is what ${source} show`);
  const folder = await importTfjs(dir, own ? fileReadings(readings) : trainingCars(CARS), {
    name,
    signals,
    normaliser,
    score,
    missing,
    quantile,
    source,
    seed: CARS.seed,
    order: own ? 'drawn' : 'arrival',
    command: commandOf(dir, flags),
  });
  const { metadata } = folder;
  writeModelFolder(out, folder, signalsCard(metadata));
  const flagged = ((metadata.metrics['flaggedOfThem'] ?? 0) * 100).toFixed(3);
  answer(
    `${name}@${metadata.version}, threshold ${metadata.threshold.toPrecision(4)}, flags ${flagged} % of held-out cars' readings, in ${out}`,
  );
}

/** @throws Error that names the file */
function normaliserOf(how: string, signals: readonly SignalName[]): NormaliserChoice {
  if (how === 'standard' || how === 'none') return how;
  const given = normaliserFile(how);
  const all = new Map<SignalName, SignalNormaliser>();
  for (const [spelling, normaliser] of Object.entries(given)) {
    const name = signalOf(spelling);
    if (name === null) throw new Error(`${how}: ${spelling} is no signal`);
    all.set(name, normaliser);
  }
  const left = signals.filter((name) => !all.has(name));
  if (left.length > 0) throw new Error(`${how} says nothing of ${left.join(', ')}`);
  return all;
}

/** A normaliser as in the metadata, or without its kind where that is plain. */
const fileSchema = z.record(
  z.string(),
  z.preprocess((value) => {
    if (value === 'zero') return { kind: 'zero' };
    if (typeof value !== 'object' || value === null || 'kind' in value) return value;
    return { kind: 'min' in value ? 'range' : 'standard', ...value };
  }, signalNormaliserSchema),
);

function normaliserFile(file: string): z.infer<typeof fileSchema> {
  try {
    return fileSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    const problem = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new Error(`${file} holds no normaliser: ${problem}`, { cause: error });
  }
}

function commandOf(dir: string, { signals, out, name, readings, normaliser, score, missing, quantile }: Flags): string {
  const file = readings === undefined ? '' : ` --readings ${readings}`;
  const how = `--normaliser ${normaliser} --score ${score} --missing ${missing} --quantile ${quantile}`;
  return `fleet-twin models import tfjs ${dir} --signals ${signals.join(',')} --out ${out} --name ${name}${file} ${how}`;
}

/** Any spelling of the wire. */
function signalOf(spelling: string): SignalName | null {
  return SIGNAL_NAMES[roleOf(spelling)] ?? null;
}

function signalNames(text: string): SignalName[] {
  const names = text.split(',').map((spelling) => {
    const name = signalOf(spelling.trim());
    if (name === null)
      throw new InvalidArgumentError(`"${spelling}" is no signal; there are ${SIGNAL_NAMES.join(', ')}.`);
    return name;
  });
  if (new Set(names).size !== names.length) throw new InvalidArgumentError('A signal is named twice.');
  return names;
}

function modelName(text: string): string {
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(text))
    throw new InvalidArgumentError('It has to be 1 to 64 letters, digits, dots, dashes or underscores.');
  return text;
}

function share(text: string): number {
  const value = Number(text);
  if (!(value > 0.5 && value < 1)) throw new InvalidArgumentError('It must lie between 0.5 and 1.');
  return value;
}
