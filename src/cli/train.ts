import { setImmediate } from 'node:timers/promises';
import { Command, InvalidArgumentError } from 'commander';
import type { EpochProgress } from '../score/autoencoder.js';
import { modelCard } from '../score/model-card.js';
import { writeModelFolder } from '../score/model-folder.js';
import { trainModel } from '../score/train-model.js';
import { tell } from './terminal.js';
import { offsetsOf, sinceOf, sourceOf, type SourceFlags } from './train-source.js';

interface TrainFlags extends SourceFlags {
  readonly out: string;
  readonly name: string;
  readonly epochs: number;
  readonly quantile: number;
}

export function trainCommand(): Command {
  return new Command('train')
    .description('train a model on simulated cars, a Kafka topic, a file or the history, and write its folder')
    .option('--out <dir>', 'folder of the model; replaced when it is there', 'models/default')
    .option('--name <name>', 'name of the model', 'default')
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
    .action(train);
}

async function train(flags: TrainFlags): Promise<void> {
  const started = Date.now();
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort(new Error('interrupted; nothing was written'));
  const source = sourceOf(flags, interrupted.signal);
  tell(`training on ${source.what}, seed ${flags.seed}`);
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, interrupt);
  try {
    const folder = await trainModel(source.readings, {
      ...flags,
      order: source.order,
      source: source.what,
      command: `fleet-twin train ${source.args} ${argsOf(flags)}`,
      onEpoch: (progress) => {
        interrupted.signal.throwIfAborted();
        sayEpoch(started, flags.epochs, progress);
      },
      say: tell,
    });
    // What follows the last epoch never waits: a signal that came meanwhile is heard here.
    await setImmediate();
    interrupted.signal.throwIfAborted();
    writeModelFolder(flags.out, folder, modelCard(folder.metadata));
    const { name, version, threshold } = folder.metadata;
    tell(`${name}@${version}, threshold ${threshold.toFixed(3)}, written to ${flags.out} after ${seconds(started)} s`);
  } finally {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, interrupt);
  }
}

function argsOf({ out, name, seed, epochs, quantile }: TrainFlags): string {
  return `--out ${out} --name ${name} --seed ${seed} --epochs ${epochs} --quantile ${quantile}`;
}

function sayEpoch(started: number, epochs: number, { epoch, loss, heldOut, best }: EpochProgress): void {
  const losses = `loss ${loss.toFixed(4)}, on held-out cars ${heldOut.toFixed(4)}${best ? ' (best)' : ''}`;
  tell(`epoch ${epoch} of at most ${epochs}: ${losses}, ${seconds(started)} s`);
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
