import { setImmediate } from 'node:timers/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { EpochProgress } from '../score/fit.js';
import { writeModelFolder } from '../score/model-folder.js';
import { TRAINABLE_KINDS, TRAINERS, type TrainableKind } from '../score/model-kinds.js';
import { tell } from './terminal.js';
import { trainEvery } from './train-every.js';
import { offsetsOf, sinceOf, sourceOf, type SourceFlags, type TrainingSource } from './train-source.js';

interface TrainFlags extends SourceFlags {
  readonly kind: TrainableKind;
  readonly out: string;
  readonly name: string;
  readonly epochs: number;
  readonly quantile: number;
  /** ms */
  readonly every?: number;
  readonly shadow?: boolean;
}

export function trainCommand(): Command {
  return new Command('train')
    .description('train a model on simulated cars, a Kafka topic, a file or the history, and write its folder')
    .addOption(new Option('--kind <kind>', 'kind of the model').choices(TRAINABLE_KINDS).default('autoencoder'))
    .option('--out <dir>', 'folder of the model; replaced when it is there (default: models/NAME)')
    .option('--name <name>', 'name of the model (default: the kind; default for an autoencoder)')
    .option('--seed <number>', 'seed of the cars and of the network', whole, 1)
    .option('--from-kafka <topic>', 'train on the records of this topic, as far as it is written now')
    .option('--since <time>', 'of the topic: from this time on, ISO 8601, or so long ago: 90m, 2h, 7d', (text) =>
      sinceOf(text, Date.now()),
    )
    .option('--from-offsets <offsets>', 'of the topic: first offsets by partition, like 0:1200,1:900', offsetsOf)
    .option('--take <number>', 'of the topic: at most so many records', whole)
    .option('--from-file <file>', 'train on the readings of FILE.csv, .jsonl or .avro')
    .option('--cars <number>', 'simulated cars', whole, 4_000)
    .option('--messages <number>', 'messages a car', whole, 60)
    .option('--epochs <number>', 'most rounds over the readings', whole, 30)
    .option('--quantile <share>', 'share of the normal readings at or below the threshold', share, 0.9995)
    .option(
      '--every <span>',
      'of the topic: train again so often (6h), each time on the newest window (--since long, else this long), judge the result beside the model in use, and register it',
      (text) => Date.now() - sinceOf(text, Date.now()),
    )
    .option('--shadow', 'with --every: each result scores in the shadow, in the place of the one before')
    .action((flags: Partial<TrainFlags> & Omit<TrainFlags, 'out' | 'name'>) => {
      const name = flags.name ?? (flags.kind === 'autoencoder' ? 'default' : flags.kind);
      return train({ ...flags, name, out: flags.out ?? `models/${name}` });
    });
}

async function train(flags: TrainFlags): Promise<void> {
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort(new Error('interrupted; nothing was written'));
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, interrupt);
  const into = (dir: string, source: TrainingSource, signal: AbortSignal) => trainInto(dir, source, flags, signal);
  const { every } = flags;
  try {
    if (every !== undefined) return await trainEvery({ ...flags, every }, into, interrupted.signal);
    if (flags.shadow) throw new Error('--shadow goes with --every');
    await into(flags.out, sourceOf(flags, interrupted.signal), interrupted.signal);
  } finally {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, interrupt);
  }
}

/** @throws what the signal was aborted with; the folder is written whole or not at all */
async function trainInto(dir: string, source: TrainingSource, flags: TrainFlags, signal: AbortSignal): Promise<void> {
  const started = Date.now();
  tell(`training ${flags.kind} on ${source.what}, seed ${flags.seed}`);
  const trained = await TRAINERS[flags.kind](source.readings, {
    ...flags,
    order: source.order,
    source: source.what,
    command: `fleet-twin train ${source.args} ${argsOf(flags)}`,
    onEpoch: (progress) => {
      signal.throwIfAborted();
      sayEpoch(flags.epochs, progress);
    },
    say: tell,
  });
  // What follows the last epoch never waits: a signal that came meanwhile is heard here.
  await setImmediate();
  signal.throwIfAborted();
  writeModelFolder(dir, trained, trained.card);
  const { name, version, threshold } = trained.metadata;
  tell(`${name}@${version}, threshold ${threshold.toPrecision(4)}, written to ${dir} after ${seconds(started)} s`);
}

function argsOf({ kind, out, name, seed, epochs, quantile }: TrainFlags): string {
  return `${kind === 'autoencoder' ? '' : `--kind ${kind} `}--out ${out} --name ${name} --seed ${seed} --epochs ${epochs} --quantile ${quantile}`;
}

/** The time left is that of all epochs; training ends sooner where they help no more. */
function sayEpoch(epochs: number, { epoch, loss, heldOut, best, seconds: spent }: EpochProgress): void {
  const losses = `loss ${loss.toFixed(4)}, on held-out cars ${heldOut.toFixed(4)}${best ? ' (best)' : ''}`;
  const left = (spent / epoch) * (epochs - epoch);
  tell(`epoch ${epoch} of at most ${epochs}: ${losses}, ${spent.toFixed(1)} s, at most ${left.toFixed(0)} s to go`);
}

function seconds(started: number): string {
  return ((Date.now() - started) / 1_000).toFixed(0);
}

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('It is not a whole number.');
  return value;
}

function share(text: string): number {
  const value = Number(text);
  if (!(value > 0.5 && value < 1)) throw new InvalidArgumentError('It must lie between 0.5 and 1.');
  return value;
}
