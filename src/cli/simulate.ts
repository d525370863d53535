import { randomUUID } from 'node:crypto';
import { Command, InvalidArgumentError, Option } from 'commander';
import * as args from '../simulator/arguments.js';
import { PLAIN, VARIED, WIDE, type Variety } from '../simulator/car.js';
import {
  DEFAULT_HAZARDS,
  NO_HAZARDS,
  ORIGINAL_HAZARDS,
  type FaultName,
  type Hazards,
  type Strength,
} from '../simulator/faults.js';
import { simulateFleet, type CarMessage, type FleetOptions } from '../simulator/fleet.js';
import { publishAll, SENSOR_TOPIC_PREFIX, type Progress, type Published } from '../simulator/publish.js';
import { writeFileOf, writeLines } from '../simulator/write-file.js';
import { tell, tick } from './terminal.js';

interface Options {
  readonly to: string;
  readonly cars: number;
  readonly firstCar: number;
  readonly seed: number;
  /** 'max': as fast as it goes */
  readonly rate?: number | 'max';
  readonly step: number;
  readonly messages?: number;
  readonly seconds?: number;
  readonly start?: number;
  readonly faults: number;
  readonly faultModes?: FaultName[];
  readonly strength?: Strength | Partial<Record<FaultName, Strength>>;
  readonly hazards: keyof typeof HAZARDS;
  readonly variety: keyof typeof VARIETIES;
  readonly connections: number;
  readonly topicPrefix: string;
}

const HAZARDS = { default: DEFAULT_HAZARDS, none: NO_HAZARDS, original: ORIGINAL_HAZARDS } satisfies Record<
  string,
  Hazards
>;
const VARIETIES = { plain: PLAIN, varied: VARIED, wide: WIDE } satisfies Record<string, Variety>;
/** Where files begin, so that the same seed gives the same bytes on any day. */
const FILE_START = Date.UTC(2026, 0, 1);

export function simulateCommand(): Command {
  return new Command('simulate')
    .description('Simulate cars of which some fail, and publish what they measure or write it to a file')
    .requiredOption('--to <where>', 'mqtt://host:port, FILE.jsonl, FILE.csv, or - for JSON lines on standard output')
    .addOption(option('--cars <n>', 'how many cars', args.countOf).default(10))
    .addOption(option('--first-car <n>', 'the number of the first one', args.countOf).default(1))
    .addOption(option('--seed <n>', 'the same seed gives the same cars', args.seedOf).default(1))
    .addOption(
      option(
        '--rate <n>',
        'messages a second of all cars together, or max; without it a car sends every --step seconds, and a file is written at full speed',
        rateOf,
      ),
    )
    .addOption(
      option('--step <s>', 'seconds between two messages of a car where --rate does not say', args.amountOf).default(
        10,
      ),
    )
    .addOption(option('--messages <n>', 'stop after so many of all cars together', args.countOf))
    .addOption(option('--seconds <s>', "stop after so many of the cars' seconds", args.amountOf))
    .addOption(
      option(
        '--start <time>',
        "the first message's time: now, or ISO 8601 (default: now over MQTT, 2026-01-01 in files)",
        (text) => args.startOf(text, Date.now()),
      ),
    )
    .addOption(
      option('--faults <share>', 'share of the cars that are bound to fail soon: 0.05 or 5%', args.shareOf).default(0),
    )
    .addOption(
      option(
        '--fault-modes <names>',
        'what those fail with, of tire,shock,driveShaft,overheating,battery,firmware (default: all but firmware)',
        args.faultNamesOf,
      ),
    )
    .addOption(
      option(
        '--strength <s>',
        'of faults: 0..1, a range 0.1..0.3, or tire=0.1,shock=0.2..1 (default: 1, tires 0.33)',
        args.strengthOf,
      ),
    )
    .addOption(
      new Option('--hazards <which>', 'chances of faults that come by themselves')
        .choices(Object.keys(HAZARDS))
        .default('default'),
    )
    .addOption(
      new Option('--variety <which>', 'how far the cars differ in age and driving style')
        .choices(Object.keys(VARIETIES))
        .default('varied'),
    )
    .addOption(option('--connections <n>', 'MQTT connections that the cars share', args.countOf).default(4))
    .option('--topic-prefix <text>', "MQTT topic before the car's id", SENSOR_TOPIC_PREFIX)
    .action(simulate);
}

/** @throws Error with one message for the user */
async function simulate(options: Options): Promise<void> {
  const target = targetOf(options.to);
  const fleet = fleetOf(options, target);
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, interrupt);
  let failed = 0;
  const note = (message: CarMessage) => {
    if (message.label === true) failed++;
  };
  try {
    const sent = await send(noting(simulateFleet(fleet), note), target, options, stop.signal);
    tell(summary(sent, failed, options.cars, stop.signal.aborted));
  } finally {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, interrupt);
  }
}

type Target = 'mqtt' | 'jsonl' | 'csv' | '-';

function targetOf(to: string): Target {
  if (to === '-') return '-';
  if (/^(mqtts?|wss?|tcp|tls):\/\//.test(to)) {
    if (!URL.canParse(to) || new URL(to).hostname === '')
      throw new Error(`--to ${to}: not a URL; like mqtt://127.0.0.1:1883`);
    return 'mqtt';
  }
  if (to.endsWith('.jsonl')) return 'jsonl';
  if (to.endsWith('.csv')) return 'csv';
  throw new Error(`--to ${to}: neither mqtt://host:port nor FILE.jsonl nor FILE.csv nor -`);
}

function fleetOf(options: Options, target: Target): FleetOptions {
  const { cars, seed, faults, faultModes, strength, firstCar } = options;
  const stepSeconds = typeof options.rate === 'number' ? cars / options.rate : options.step;
  const messages = messagesOf(options, stepSeconds);
  if (!Number.isFinite(messages) && (target === 'jsonl' || target === 'csv' || options.rate === 'max')) {
    throw new Error('say where it ends: --messages or --seconds');
  }
  return {
    cars,
    seed,
    stepSeconds,
    messages,
    firstCar,
    faults,
    start: options.start ?? startFor(options, target, (messages / cars) * stepSeconds),
    hazards: HAZARDS[options.hazards],
    variety: VARIETIES[options.variety],
    ...(faultModes && { faultModes }),
    ...(strength !== undefined && { strength }),
  };
}

function messagesOf({ messages = Infinity, seconds = Infinity, cars }: Options, stepSeconds: number): number {
  return Math.min(messages, Math.max(1, Math.round((seconds * cars) / stepSeconds)));
}

/** Over MQTT the cars' clocks are right: they say now, or have just come to it where all is sent at once. */
function startFor({ rate }: Options, target: Target, seconds: number): number {
  if (target !== 'mqtt') return FILE_START;
  return rate === 'max' ? Math.floor(Date.now() - seconds * 1_000) : Date.now();
}

function send(source: Iterable<CarMessage>, target: Target, options: Options, signal: AbortSignal): Promise<Published> {
  const { to, rate, connections, topicPrefix, cars, step } = options;
  const pace = typeof rate === 'number' ? { rate } : target === 'mqtt' && rate !== 'max' ? { rate: cars / step } : {};
  const shared = { ...pace, signal, onProgress: show };
  if (target === '-') return writeLines(source, process.stdout, { ...shared, format: 'jsonl' });
  if (target !== 'mqtt') return writeFileOf(source, to, { ...shared, format: target });
  const clientIdPrefix = `fleet-twin-simulator-${randomUUID().slice(0, 8)}`;
  return publishAll(source, {
    ...shared,
    url: to,
    connections: Math.min(connections, cars),
    clientIdPrefix,
    topicPrefix,
  });
}

function show({ published, seconds, trouble }: Progress): void {
  const waiting = trouble === null ? '' : `, waiting for the broker: ${trouble}`;
  tick(`${published} messages, ${Math.round(published / seconds)}/s${waiting}`);
}

function summary({ published, seconds }: Published, failed: number, cars: number, interrupted: boolean): string {
  const rate = Math.round(published / Math.max(seconds, 0.001));
  const stopped = interrupted ? 'stopped: ' : '';
  return `${stopped}${published} messages of ${cars} cars in ${seconds.toFixed(1)} s (${rate}/s), ${failed} with a failure`;
}

function* noting(source: Iterable<CarMessage>, note: (message: CarMessage) => void): Generator<CarMessage> {
  for (const message of source) {
    note(message);
    yield message;
  }
}

function rateOf(text: string): number | 'max' {
  return text === 'max' ? 'max' : args.amountOf(text);
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
