import { afterEach, beforeEach, expect, it } from 'vitest';
import { CommandListener, isSimulated } from '../../src/simulator/command-listener.js';
import { simulateFleet } from '../../src/simulator/fleet.js';
import { publishAll, type Published } from '../../src/simulator/publish.js';
import { startProxy, type TcpProxy } from '../tcp-proxy.js';
import { World, serversOfSuite, until } from './world.js';

const CARS = 5;

let world: World;
let driving: { readonly stop: AbortController; readonly done: Promise<Published> };
let listener: CommandListener;
const proxies: TcpProxy[] = [];

beforeEach(() => {
  world = new World(serversOfSuite());
  const { mqttUrl: url } = world.servers;
  const hearing = { url, clientId: `hear-${world.id}`, topic: world.commandTopic, rejecting: 0 };
  listener = new CommandListener({ ...hearing, isOurs: isSimulated(1, CARS) });
  const stop = new AbortController();
  const fleet = simulateFleet({ cars: CARS, seed: 3, start: Date.now(), stepSeconds: 0.25 });
  const cars = { url, connections: 1, clientIdPrefix: `drive-${world.id}`, topicPrefix: world.mqttPrefix };
  driving = { stop, done: publishAll(listener.obeying(fleet), { ...cars, rate: 20, signal: stop.signal }) };
});
afterEach(async () => {
  driving.stop.abort();
  await driving.done;
  await listener.end();
  await world.close();
  await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
});

async function proxyTo(address: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(address);
  const proxy = await startProxy({ host: hostname, port: Number(port) });
  proxies.push(proxy);
  return proxy;
}

async function ask<T>(url: string, query: string): Promise<T> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${url}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query }) });
  return ((await answer.json()) as { data: T }).data;
}

const desire = async (url: string, car: string, firmware: number) => {
  const query = `mutation { setDesired(car: "${car}", values: { controlUnitFirmware: ${firmware}, chargeLimit: 80 }) {
    command { id status } } }`;
  return (await ask<{ setDesired: { command: { id: string; status: string } } }>(url, query)).setDesired.command;
};

interface State {
  readonly car: {
    readonly signals: { readonly controlUnitFirmware: number };
    readonly desired: { readonly version: number; readonly delta: { readonly name: string }[] } | null;
    readonly commands: { readonly nodes: { readonly status: string; readonly attempts: number }[] };
  } | null;
}
const state = (url: string, car: string) =>
  ask<State>(
    url,
    `{ car(id: "${car}") { signals { controlUnitFirmware } desired { version delta { name } }
      commands { nodes { status attempts } } } }`,
  );
const status = async (url: string, car: string) => (await state(url, car)).car?.commands.nodes[0]?.status;
const seen = (url: string, car: string) =>
  until(
    () => state(url, car),
    (answer) => answer.car !== null,
  );

it('what is desired of a simulated car goes to it, is accepted, and shows in what it reports', async () => {
  const url = await world.start().url;
  await seen(url, 'car1');
  expect(await desire(url, 'car1', 2_100)).toMatchObject({ status: 'QUEUED' });
  const { car } = await until(
    () => state(url, 'car1'),
    (answer) => answer.car?.desired?.delta.length === 0,
  );
  expect(car).toEqual({
    signals: { controlUnitFirmware: 2_100 },
    desired: { version: 1, delta: [] },
    commands: { nodes: [{ status: 'ACCEPTED', attempts: 1 }] },
  });
  // The others stay as they are.
  expect((await seen(url, 'car2')).car?.signals.controlUnitFirmware).toBe(2_000);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toMatch(/^fleet_twin_command_answers_applied 1$/m);
});

it('a bridge without MongoDB carries sensor data on, and the commands afterwards', async () => {
  const proxy = await proxyTo(world.servers.mongodbUri);
  const away = `mongodb://127.0.0.1:${proxy.port}/?directConnection=true`;
  const url = await world.start({ ROLES: 'ingest,api' }).url;
  const bridge = world.start({ ROLES: 'bridge', MONGODB_URI: away });
  await seen(url, 'car1');
  proxy.cut();
  const health = async () => (await fetch(`${await bridge.url}/health/ready`)).json() as Promise<{ status: string }>;
  await until(health, ({ status: now }) => now === 'degraded');
  await desire(url, 'car1', 2_100);
  const before = (await world.counts())['stored'] ?? 0;
  await until(
    () => world.counts(),
    ({ stored = 0 }) => stored >= before + 100,
  );
  expect(await status(url, 'car1')).toBe('QUEUED');
  proxy.resume();
  await until(
    () => status(url, 'car1'),
    (now) => now === 'ACCEPTED',
  );
  await until(health, ({ status: now }) => now === 'ok');
});

it('a bridge that starts without MongoDB carries sensor data, and commands once it is there', async () => {
  const proxy = await proxyTo(world.servers.mongodbUri);
  proxy.cut();
  const away = `mongodb://127.0.0.1:${proxy.port}/?directConnection=true`;
  const url = await world.start({ ROLES: 'ingest,api' }).url;
  world.start({ ROLES: 'bridge', MONGODB_URI: away });
  await seen(url, 'car3');
  await desire(url, 'car3', 2_100);
  expect(await status(url, 'car3')).toBe('QUEUED');
  proxy.resume();
  await until(
    () => status(url, 'car3'),
    (now) => now === 'ACCEPTED',
  );
});

it('a bridge that is killed with a command in hand leaves it to the next one', async () => {
  const proxy = await proxyTo(world.servers.mqttUrl);
  const env = { ROLES: 'bridge', COMMAND_RETRY: '2', MQTT_URL: `mqtt://127.0.0.1:${proxy.port}` };
  const url = await world.start({ ROLES: 'ingest,api' }).url;
  const bridge = world.start(env);
  await seen(url, 'car1');
  proxy.stall();
  await desire(url, 'car1', 2_100);
  await until(
    async () => (await state(url, 'car1')).car?.commands.nodes[0]?.attempts,
    (attempts) => attempts === 1,
  );
  bridge.signal('SIGKILL');
  await bridge.exited;
  expect(await status(url, 'car1')).toBe('QUEUED');
  world.start({ ...env, MQTT_URL: world.servers.mqttUrl, MQTT_CLIENT_ID: `${world.id}-second` });
  await until(
    () => status(url, 'car1'),
    (now) => now === 'ACCEPTED',
  );
  expect((await state(url, 'car1')).car?.commands.nodes[0]?.attempts).toBe(2);
});
