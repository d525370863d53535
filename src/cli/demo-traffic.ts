import { COMMAND_TOPIC, CommandListener, isSimulated } from '../simulator/command-listener.js';
import { readCsv } from '../simulator/csv.js';
import { simulateFleet, type CarMessage } from '../simulator/fleet.js';
import { publishAll, type Published } from '../simulator/publish.js';
import { tick } from './terminal.js';

export interface TrafficOptions {
  readonly csv?: string;
  /** Times faster than the CSV's own times; as fast as it goes without. */
  readonly speed?: number;
  readonly cars: number;
  /** Messages a second of all cars together. */
  readonly rate: number;
  /** Simulated cars stop after so many messages; they go on for ever without. */
  readonly messages?: number;
}

/** One car in ten of the demo fails. */
const FAULTS = 0.1;
const SEED = 1;

/** Sends the CSV, or simulated cars whose clock is the real one, over MQTT. Resolves when the broker has everything. */
export async function sendTraffic(
  options: TrafficOptions,
  mqttUrl: string,
  signal: AbortSignal,
  sent: (message: CarMessage) => void,
): Promise<Published> {
  const pace =
    options.csv === undefined ? { rate: options.rate } : options.speed === undefined ? {} : { speed: options.speed };
  const clientIdPrefix = `fleet-twin-demo-${process.pid}`;
  const hearing = { url: mqttUrl, clientId: `${clientIdPrefix}-commands`, topic: COMMAND_TOPIC, rejecting: 0 };
  const listener = new CommandListener({ ...hearing, isOurs: isSimulated(1, options.cars) });
  const messages = options.csv === undefined ? listener.obeying(messagesOf(options)) : readCsv(options.csv);
  try {
    return await publishAll(noting(messages, sent), {
      url: mqttUrl,
      connections: 4,
      clientIdPrefix,
      ...pace,
      onProgress: ({ published, seconds }) =>
        tick(`${published} messages sent, ${Math.round(published / Math.max(seconds, 0.001))}/s`),
      signal,
    });
  } finally {
    await listener.end();
  }
}

function messagesOf({ cars, rate, messages }: TrafficOptions): Iterable<CarMessage> {
  const limit = messages === undefined ? {} : { messages };
  return simulateFleet({
    cars,
    seed: SEED,
    start: Date.now(),
    stepSeconds: cars / rate,
    faults: FAULTS,
    faultAfter: [2, 20],
    ...limit,
  });
}

async function* noting(
  source: AsyncIterable<CarMessage> | Iterable<CarMessage>,
  note: (message: CarMessage) => void,
): AsyncGenerator<CarMessage> {
  for await (const message of source) {
    note(message);
    yield message;
  }
}
