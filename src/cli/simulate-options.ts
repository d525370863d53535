import { InvalidArgumentError, Option, type Command } from 'commander';
import * as args from '../simulator/arguments.js';
import { PLAIN, VARIED, WIDE, type Variety } from '../simulator/car.js';
import type { Disorder } from '../simulator/disorder.js';
import {
  DEFAULT_HAZARDS,
  NO_HAZARDS,
  ORIGINAL_HAZARDS,
  type FaultName,
  type Hazards,
  type Strength,
} from '../simulator/faults.js';
import { COMMAND_TOPIC } from '../simulator/command-listener.js';
import { SENSOR_TOPIC_PREFIX } from '../simulator/publish.js';
import { TARGETS } from './simulate-target.js';

/** What was typed after `fleet-twin simulate`, each value by itself in order. */
export interface SimulateOptions extends Disorder {
  readonly to: string;
  readonly cars: number;
  readonly firstCar: number;
  readonly seed: number;
  /** 'max': as fast as it goes */
  readonly rate?: number | 'max';
  /** s */
  readonly step: number;
  readonly messages?: number;
  /** s */
  readonly seconds?: number;
  /** ms since 1970 */
  readonly start?: number;
  readonly faults: number;
  readonly faultModes?: FaultName[];
  readonly strength?: Strength | Partial<Record<FaultName, Strength>>;
  /** Messages */
  readonly repairAfter?: number;
  readonly hazards: keyof typeof HAZARDS;
  readonly variety: keyof typeof VARIETIES;
  /** °C */
  readonly climate?: readonly [low: number, high: number];
  readonly style?: number;
  /** Messages */
  readonly age?: readonly [low: number, high: number];
  readonly location?: true;
  readonly connections: number;
  readonly clientPerCar?: true;
  readonly topicPrefix: string;
  readonly commands: boolean;
  readonly commandTopic: string;
  readonly rejectCommands: number;
}

export const HAZARDS = { default: DEFAULT_HAZARDS, none: NO_HAZARDS, original: ORIGINAL_HAZARDS } satisfies Record<
  string,
  Hazards
>;
export const VARIETIES = { plain: PLAIN, varied: VARIED, wide: WIDE } satisfies Record<string, Variety>;

export function withSimulateOptions(command: Command): Command {
  command.requiredOption('--to <where>', TARGETS);
  for (const one of [...fleetOptions(), ...faultOptions(), ...carOptions(), ...disorderOptions(), ...sendOptions()])
    command.addOption(one);
  return command;
}

function fleetOptions(): Option[] {
  return [
    option('--cars <n>', 'how many cars', args.countOf).default(10),
    option('--first-car <n>', 'the number of the first one', args.countOf).default(1),
    option('--seed <n>', 'the same seed gives the same cars', args.seedOf).default(1),
    option(
      '--rate <n>',
      'messages a second of all cars together, or max; without it a car sends every --step seconds, and a file is written at full speed',
      (text) => (text === 'max' ? 'max' : args.amountOf(text)),
    ),
    option('--step <s>', 'seconds between two messages of a car where --rate does not say', args.amountOf).default(10),
    option(
      '--messages <n>',
      'stop after so many of all cars together, not counting what --dup sends again',
      args.countOf,
    ),
    option('--seconds <s>', "stop after so many of the cars' seconds", args.amountOf),
    option(
      '--start <time>',
      "the first message's time: now, or ISO 8601 (default: now over MQTT and Kafka, 2026-01-01 in files)",
      (text) => args.startOf(text, Date.now()),
    ),
  ];
}

function faultOptions(): Option[] {
  return [
    option('--faults <share>', 'share of the cars that are bound to fail soon: 0.05 or 5%', args.shareOf).default(0),
    option(
      '--fault-modes <names>',
      'what those fail with, of tire,shock,driveShaft,overheating,battery,firmware (default: all but firmware)',
      args.faultNamesOf,
    ),
    option(
      '--strength <s>',
      'of faults: 0..1, a range 0.1..0.3, or tire=0.1,shock=0.2..1 (default: 1, tires 0.33)',
      args.strengthOf,
    ),
    option(
      '--repair-after <n>',
      'messages until a fault is repaired, give or take a half, or never (default: 720)',
      (text) => (text === 'never' ? Infinity : args.countOf(text)),
    ),
    new Option('--hazards <which>', 'chances of faults that come by themselves')
      .choices(Object.keys(HAZARDS))
      .default('default'),
  ];
}

function carOptions(): Option[] {
  return [
    new Option('--variety <which>', 'how far the cars differ in age and driving style')
      .choices(Object.keys(VARIETIES))
      .default('varied'),
    option('--climate <range>', '°C of the air: -10..5 (default: 15..40)', args.rangeOf),
    option('--style <s>', 'how far driving styles differ: 0 all alike, 1 from sedate to hectic', args.shareOf),
    option('--age <range>', 'messages that a car has sent before its first one here: 0..1000', args.ageOf),
    new Option('--location', 'messages say where the car is (JSON only)'),
  ];
}

function disorderOptions(): Option[] {
  return [
    option('--dup <share>', 'share of the messages that are sent again within 10 s: 1%', args.shareOf).default(0),
    option('--shuffle <s>', 'every message is held back by up to so long: 30s', args.durationOf).default(0),
    option('--late <share>', 'share of the messages that are held back by 1 to 10 minutes', args.shareOf).default(0),
    option(
      '--skew <share>',
      'share of the cars whose clocks are ahead or behind by up to an hour',
      args.shareOf,
    ).default(0),
  ];
}

function sendOptions(): Option[] {
  return [
    option('--connections <n>', 'MQTT connections that the cars share', args.countOf).default(4),
    new Option('--client-per-car', "an MQTT connection for each car, the car's id its client id"),
    new Option('--topic-prefix <text>', "MQTT topic before the car's id").default(SENSOR_TOPIC_PREFIX),
    new Option('--no-commands', 'over MQTT: cars that neither hear nor answer commands'),
    new Option('--command-topic <text>', "MQTT topic of commands, before a slash and the car's id").default(
      COMMAND_TOPIC,
    ),
    option('--reject-commands <share>', 'share of the cars that reject every command', args.shareOf).default(0),
  ];
}

/** An option whose bad argument is told in one line. */
function option(flags: string, description: string, parse: (text: string) => unknown): Option {
  return new Option(flags, description).argParser((text: string) => {
    try {
      return parse(text);
    } catch (error) {
      throw new InvalidArgumentError(`It ${(error as Error).message}.`);
    }
  });
}
