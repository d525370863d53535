import { setTimeout as delay } from 'node:timers/promises';
import { Command, InvalidArgumentError } from 'commander';
import { startStack, type Stack } from '../../stack/stack.js';
import { answer, tell } from './terminal.js';
import { askSample, hasAnomaly, SAMPLE_QUERY } from './demo-sample.js';
import { DemoCheck } from './demo-check.js';
import { startDemoService, type DemoService } from './demo-service.js';
import { sendTraffic, type TrafficOptions } from './demo-traffic.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** ms */
const FIRST_ANOMALY = 15_000;

interface DemoOptions extends TrafficOptions {
  readonly check?: true;
  readonly port: number;
  readonly data?: string;
}

export function demoCommand(): Command {
  return new Command('demo')
    .description('the whole way on this machine: servers, service, simulated cars (or a CSV), GraphQL')
    .option('--csv <file>', 'replays a CSV of readings (time, car, 18 signals) instead of simulated cars')
    .option(
      '--speed <factor>',
      'replays the CSV by its own times, so many times faster, such as 60x; full speed without',
      speed,
    )
    .option('--cars <n>', 'simulated cars', whole, 100)
    .option('--rate <r>', 'messages a second of all simulated cars together', whole, 100)
    .option('--messages <n>', 'stops the simulated cars after so many messages (with --check: 2,000)', whole)
    .option('--port <p>', 'port of the GraphQL page; 0 takes a free one', port, 4000)
    .option('--data <dir>', 'keeps the data between runs; a temporary folder without')
    .option('--check', 'waits until every reading is in MongoDB, asks GraphQL, stops everything, and says how it went')
    .action(runDemo);
}

async function runDemo(options: DemoOptions): Promise<void> {
  const interrupted = new AbortController();
  let asked = false;
  const interrupt = () => {
    asked = true;
    interrupted.abort(new Error('interrupted'));
  };
  for (const name of SIGNALS) process.on(name, interrupt);
  const started = await startAll(options, interrupted.signal);
  try {
    // A service that ends by itself ends the demo.
    started.service.died.catch((death: unknown) => interrupted.abort(death));
    await (options.check ? check(options, started, interrupted.signal) : show(options, started, interrupted.signal));
  } catch (error) {
    if (!asked || options.check) fail(error);
  } finally {
    tell('stopping');
    await started.stop().catch(fail);
    for (const name of SIGNALS) process.off(name, interrupt);
  }
}

interface Started {
  readonly stack: Stack;
  readonly service: DemoService;
  stop(): Promise<void>;
}

async function startAll(options: DemoOptions, signal: AbortSignal): Promise<Started> {
  const dataDir = options.data === undefined ? {} : { dataDir: options.data };
  const stack = await startStack({ ...dataDir, say: tell, signal });
  try {
    const service = await startDemoService(stack, options);
    const stop = async () => {
      await service.stop();
      await stack.stop();
    };
    return { stack, service, stop };
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

/** Cars drive until somebody presses Ctrl-C. */
async function show(options: DemoOptions, { stack, service }: Started, signal: AbortSignal): Promise<void> {
  const traffic = sendTraffic(options, stack.urls.mqttUrl, signal, () => undefined);
  await Promise.race([firstAnomaly(service.url, signal), traffic]);
  signal.throwIfAborted();
  const sample = await askSample(service.url);
  tell(`GraphQL page: ${service.url}/graphiql`);
  tell(`Try:    ${SAMPLE_QUERY}`);
  tell(`Answer: ${JSON.stringify(sample)}`);
  tell('Ctrl-C stops everything.');
  const sent = await traffic;
  tell(`${sent.published} messages sent in ${sent.seconds.toFixed(1)} s`);
  if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
}

/** A sample is worth more once a car fails; the first do within seconds. */
async function firstAnomaly(url: string, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + FIRST_ANOMALY;
  while (!signal.aborted && Date.now() < deadline && !(await hasAnomaly(url))) await delay(500);
}

async function check(options: DemoOptions, { stack, service }: Started, signal: AbortSignal): Promise<void> {
  const checking = await DemoCheck.begin(stack.urls.mongodbUri, signal);
  try {
    const started = performance.now();
    const limited = options.csv === undefined ? { ...options, messages: options.messages ?? 2_000 } : options;
    const sent = await sendTraffic(limited, stack.urls.mqttUrl, signal, (message) => checking.sent(message));
    const totals = await checking.untilStored(sent.published);
    const seconds = (performance.now() - started) / 1_000;
    const sample = await askSample(service.url);
    const perSecond = Math.round(sent.published / seconds);
    answer(JSON.stringify({ ...totals, seconds: Number(seconds.toFixed(3)), perSecond, sample }));
  } finally {
    await checking.close();
  }
}

function fail(error: unknown): void {
  tell(`demo failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

function whole(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('a whole number above 0 is needed.');
  return Number(text);
}

function port(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new InvalidArgumentError('a port is needed.');
  return Number(text);
}

function speed(text: string): number {
  const factor = Number(text.replace(/x$/, ''));
  if (!(factor > 0 && Number.isFinite(factor))) throw new InvalidArgumentError('a factor such as 60x is needed.');
  return factor;
}
