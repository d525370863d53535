import { randomUUID } from 'node:crypto';
import { Command } from 'commander';
import { CommandListener, isSimulated } from '../simulator/command-listener.js';
import { disordered, isOrder, meanDelay } from '../simulator/disorder.js';
import { simulateFleet, type CarMessage, type FleetOptions } from '../simulator/fleet.js';
import { produceAll, publishAll, type Progress, type Published } from '../simulator/publish.js';
import { writeFileOf, writeMessages } from '../simulator/write-file.js';
import { HAZARDS, VARIETIES, withSimulateOptions, type SimulateOptions } from './simulate-options.js';
import { isLive, targetOf, type Target } from './simulate-target.js';
import { tell, tick } from './terminal.js';

/** Where files begin, so that the same seed gives the same bytes on any day. */
const FILE_START = Date.UTC(2026, 0, 1);

export function simulateCommand(): Command {
  const command = new Command('simulate').description(
    'Simulate cars of which some fail, and publish what they measure or write it to a file',
  );
  return withSimulateOptions(command).action(simulate);
}

/** @throws Error with one message for the user */
async function simulate(options: SimulateOptions): Promise<void> {
  const target = targetOf(options.to);
  const fleet = fleetOf(options, target);
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, interrupt);
  let failed = 0;
  const note = (message: CarMessage) => {
    if (message.label === true) failed++;
  };
  const listener = listenerFor(target, options);
  try {
    const sent = await send(noting(messagesFor(fleet, options, listener), note), target, options, stop.signal);
    tell(summary(sent, failed, options.cars, stop.signal.aborted));
    if (listener && listener.counts.accepted + listener.counts.rejected > 0)
      tell(`commands: ${listener.counts.accepted} accepted, ${listener.counts.rejected} rejected`);
  } finally {
    await listener?.end();
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, interrupt);
  }
}

function messagesFor(
  fleet: FleetOptions,
  options: SimulateOptions,
  listener: CommandListener | null,
): Iterable<CarMessage> {
  const messages = listener ? listener.obeying(simulateFleet(fleet)) : simulateFleet(fleet);
  return isOrder(options) ? messages : disordered(messages, options, options.seed);
}

function fleetOf(options: SimulateOptions, target: Target): FleetOptions {
  const { cars, seed, faults, faultModes, strength, firstCar, repairAfter, location } = options;
  const stepSeconds = stepOf(options);
  const messages = messagesOf(options, stepSeconds);
  if (!Number.isFinite(messages) && (target.kind === 'file' || options.rate === 'max'))
    throw new Error('say where it ends: --messages or --seconds');
  if (location && target.kind === 'file' && target.format !== 'jsonl')
    throw new Error(`--location: there is no place for it in .${target.format}, only in JSON`);
  return {
    cars,
    seed,
    stepSeconds,
    messages,
    firstCar,
    faults,
    start: options.start ?? startFor(options, target, (messages / cars) * stepSeconds),
    hazards: HAZARDS[options.hazards],
    variety: varietyOf(options),
    ...(faultModes && { faultModes }),
    ...(strength !== undefined && { strength }),
    ...(repairAfter !== undefined && { repairAfter }),
    ...(location && { location }),
  };
}

/** s between two messages of a car. What is sent again counts towards the rate, and the cars' time is to go as fast as time. */
function stepOf({ rate, cars, dup, step }: SimulateOptions): number {
  return typeof rate === 'number' ? (cars * (1 + dup)) / rate : step;
}

function varietyOf({ variety, climate, style, age }: SimulateOptions) {
  return {
    ...VARIETIES[variety],
    ...(climate && { climate }),
    ...(style !== undefined && { style }),
    ...(age && { age }),
  };
}

function messagesOf({ messages = Infinity, seconds = Infinity, cars }: SimulateOptions, stepSeconds: number): number {
  return Math.min(messages, Math.max(1, Math.round((seconds * cars) / stepSeconds)));
}

/**
 * To a broker the cars' clocks are right: they say now, or have just come to it where all is sent at once. What is held back
 * is older, so that nothing comes from the future but for the clocks that --skew puts there.
 */
function startFor(options: SimulateOptions, target: Target, seconds: number): number {
  if (!isLive(target)) return FILE_START;
  const past = options.rate === 'max' ? seconds : 0;
  return Math.floor(Date.now() - (past + meanDelay(options)) * 1_000);
}

function send(
  source: Iterable<CarMessage>,
  target: Target,
  options: SimulateOptions,
  signal: AbortSignal,
): Promise<Published> {
  const { rate, connections, topicPrefix, cars, step, dup } = options;
  const byStep = isLive(target) && rate !== 'max' ? { rate: (cars * (1 + dup)) / step } : {};
  const shared = { ...(typeof rate === 'number' ? { rate } : byStep), signal, onProgress: show };
  const clientId = `fleet-twin-simulator-${randomUUID().slice(0, 8)}`;
  switch (target.kind) {
    case 'stdout':
      return writeMessages(source, process.stdout, { ...shared, format: 'jsonl' });
    case 'file':
      return writeFileOf(source, target.file, { ...shared, format: target.format });
    case 'kafka':
      return produceAll(source, { ...shared, brokers: target.brokers, topic: target.topic, clientId });
    case 'mqtt': {
      const own = options.clientPerCar ? { clientPerCar: clientsOf(options) } : {};
      const few = { connections: Math.min(connections, cars), clientIdPrefix: clientId };
      const mqtt = { url: target.url, topicPrefix, ...few, ...own };
      return publishAll(source, { ...shared, ...mqtt });
    }
  }
}

/** Over MQTT cars hear commands; elsewhere there is nobody to hear. */
function listenerFor(target: Target, options: SimulateOptions): CommandListener | null {
  if (target.kind !== 'mqtt' || !options.commands) return null;
  const { firstCar, cars, commandTopic: topic, rejectCommands: rejecting } = options;
  const isOurs = isSimulated(firstCar, cars);
  const clientId = `fleet-twin-simulator-${randomUUID().slice(0, 8)}-commands`;
  return new CommandListener({ url: target.url, clientId, topic, isOurs, rejecting });
}

/** Files that the process has open beside its connections. */
const OTHER_FILES = 64;

/** @throws Error where the process may not have so many connections */
function clientsOf({ cars, firstCar }: SimulateOptions): string[] {
  const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { soft?: number | string } } };
  const most = Number(userLimits?.open_files?.soft ?? Infinity);
  if (cars + OTHER_FILES > most)
    throw new Error(`--client-per-car: ${cars} connections, but this process may have ${most} files open (ulimit -n)`);
  return Array.from({ length: cars }, (_, index) => `car${firstCar + index}`);
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
