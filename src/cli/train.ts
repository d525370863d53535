import { Command, InvalidArgumentError } from 'commander';
import type { EpochProgress } from '../score/autoencoder.js';
import { modelCard } from '../score/model-card.js';
import { writeModelFolder } from '../score/model-folder.js';
import { trainModel } from '../score/train-model.js';
import { simulateFleet, type CarMessage, type FleetOptions } from '../simulator/fleet.js';
import { Random } from '../simulator/random.js';
import type { Reading } from '../telemetry/reading.js';
import { SIGNAL_NAMES } from '../telemetry/signals.js';
import { tell } from './terminal.js';

interface TrainFlags {
  readonly out: string;
  readonly name: string;
  readonly seed: number;
  readonly cars: number;
  readonly messages: number;
  readonly epochs: number;
  readonly quantile: number;
}

export function trainCommand(): Command {
  return new Command('train')
    .description('train a model on simulated cars and write its folder')
    .option('--out <dir>', 'folder of the model; replaced when it is there', 'models/default')
    .option('--name <name>', 'name of the model', 'default')
    .option('--seed <number>', 'seed of the cars and of the network', whole, 1)
    .option('--cars <number>', 'simulated cars', whole, 4_000)
    .option('--messages <number>', 'messages a car', whole, 60)
    .option('--epochs <number>', 'most rounds over the readings', whole, 30)
    .option('--quantile <share>', 'share of the normal readings at or below the threshold', share, 0.9995)
    .action(train);
}

async function train(flags: TrainFlags): Promise<void> {
  const started = Date.now();
  const { seed, cars, messages } = flags;
  tell(`training on ${cars} simulated cars, ${messages} messages each, seed ${seed}`);
  const folder = await trainModel(trainingCars({ seed, cars, messages }), {
    ...flags,
    source: `${cars} simulated cars, ${messages} messages each`,
    command: commandOf(flags),
    onEpoch: sayEpoch(started),
    say: tell,
  });
  writeModelFolder(flags.out, folder, modelCard(folder.metadata));
  const { name, version, threshold } = folder.metadata;
  tell(`${name}@${version}, threshold ${threshold.toFixed(3)}, written to ${flags.out} after ${seconds(started)} s`);
}

function commandOf({ out, name, seed, cars, messages, epochs, quantile }: TrainFlags): string {
  const size = `--cars ${cars} --messages ${messages} --epochs ${epochs}`;
  return `fleet-twin train --out ${out} --name ${name} --seed ${seed} ${size} --quantile ${quantile}`;
}

function sayEpoch(started: number): (progress: EpochProgress) => void {
  return ({ epoch, loss, heldOut, best }) =>
    tell(
      `epoch ${epoch}: loss ${loss.toFixed(4)}, on held-out cars ${heldOut.toFixed(4)}${best ? ' (best)' : ''}, ${seconds(started)} s`,
    );
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

export interface TrainingCars {
  readonly seed: number;
  readonly cars: number;
  /** a car */
  readonly messages: number;
}

const START = Date.UTC(2026, 0, 1);

/** New cars as in the formulas, and cars of all ages, habits, climates and charges; a third of them with worse sensors. */
const FLEETS: readonly { readonly variety: FleetOptions['variety']; readonly noise: number; readonly part: number }[] =
  [
    { variety: { style: 0, age: [0, 0] }, noise: 0, part: 0.2 },
    { variety: { style: 1, age: [0, 8_000], climate: [-40, 50], battery: [10, 100] }, noise: 0, part: 0.5 },
    { variety: { style: 1, age: [0, 8_000], climate: [-40, 50], battery: [10, 100] }, noise: 0.005, part: 0.3 },
  ];

/** The charge is counted, not measured; a version is a version. */
const NOISY = SIGNAL_NAMES.filter((name) => name !== 'batteryPercentage' && name !== 'controlUnitFirmware');

/** Their sensors send integers. */
const WHOLE = SIGNAL_NAMES.filter((name) => name.startsWith('tirePressure'));

/** Readings of simulated cars to train on, none of them failing. The same numbers, the same readings. */
export function* trainingCars({ seed, cars, messages }: TrainingCars): Generator<Reading> {
  let firstCar = 1;
  for (const { variety = {}, noise, part } of FLEETS) {
    const count = Math.max(1, Math.round(cars * part));
    const options = { cars: count, seed, start: START, stepSeconds: 10, firstCar, variety };
    const random = new Random(seed, firstCar, 3);
    const hazards = { tire: 0, shock: 0, driveShaft: 0, overheating: 0, battery: 0, firmware: 0 };
    for (const message of simulateFleet({ ...options, hazards, messages: count * messages }))
      yield readingOf(message, noise, random);
    firstCar += count;
  }
}

function readingOf({ car, at, signals, label }: CarMessage, noise: number, random: Random): Reading {
  const sent = noise === 0 ? signals : { ...signals };
  if (noise > 0) for (const name of NOISY) sent[name] = (sent[name] ?? 0) * (1 + noise * normal(random));
  if (noise > 0) for (const name of WHOLE) sent[name] = Math.round(sent[name] ?? 0);
  return { car, at, skewedAt: null, signals: sent, label };
}

/** Nearly a standard normal number: the sum of twelve uniform ones. */
function normal(random: Random): number {
  let sum = -6;
  for (let i = 0; i < 12; i++) sum += random.next();
  return sum;
}
