import { z } from 'zod';
import { ENTRIES } from './entries.js';
import type { Entry } from './entry.js';

type Parsed<E> = E extends Entry<infer T> ? Readonly<z.output<T>> : never;

/** The validated settings, under the names of their environment variables. Only modules and main read them. */
export type Settings = { readonly [Name in keyof typeof ENTRIES]: Parsed<(typeof ENTRIES)[Name]> };

export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly code = 'BAD_SETTINGS';
  readonly retriable = false;
}

/** Topics that hold something else than canonical readings. */
const TOPICS = ['SENSOR_TOPIC', 'PREDICTIONS_TOPIC', 'ANOMALIES_TOPIC', 'DEAD_LETTER_TOPIC'] as const;

const environment = z
  .object(Object.fromEntries(Object.entries(ENTRIES).map(([name, entry]) => [name, entry.schema])))
  .superRefine((values, context) => {
    const open = values['EPISODE_OPEN'] as number;
    const window = values['EPISODE_WINDOW'] as number;
    if (open > window)
      context.addIssue({ code: 'custom', path: ['EPISODE_OPEN'], message: `is above EPISODE_WINDOW (${window})` });
    for (const other of TOPICS)
      if (values['NORMALISED_TOPIC'] !== undefined && values['NORMALISED_TOPIC'] === values[other])
        context.addIssue({ code: 'custom', path: ['NORMALISED_TOPIC'], message: `is the same as ${other}` });
    const arrays = (values['ARRAY_TOPICS'] ?? []) as readonly { topic: string }[];
    for (const [place, { topic }] of arrays.entries())
      if (
        [...TOPICS, 'NORMALISED_TOPIC'].some((other) => values[other] === topic) ||
        arrays.findIndex((one) => one.topic === topic) !== place
      )
        context.addIssue({ code: 'custom', path: ['ARRAY_TOPICS'], message: `${topic} is in use already` });
    const answers = `${values['COMMAND_TOPIC'] as string}/car/answer`;
    if (values['COMMANDS'] === 'on' && catches(values['MQTT_TOPIC'] as string, answers))
      context.addIssue({
        code: 'custom',
        path: ['MQTT_TOPIC'],
        message: 'takes the answers to commands for sensor data: see COMMAND_TOPIC, or set COMMANDS=off',
      });
    for (const { name, message } of accessFaults(values)) context.addIssue({ code: 'custom', path: [name], message });
    if ((values['OFFLINE_AFTER'] as number) < (values['STALE_AFTER'] as number))
      context.addIssue({ code: 'custom', path: ['OFFLINE_AFTER'], message: 'is below STALE_AFTER' });
  });

/** Whether an MQTT topic filter takes a topic. */
function catches(filter: string, topic: string): boolean {
  const [wanted, given] = [filter.split('/'), topic.split('/')];
  const open = wanted.at(-1) === '#';
  const parts = open ? wanted.slice(0, -1) : wanted;
  if (open ? given.length < parts.length : given.length !== parts.length) return false;
  return parts.every((part, place) => part === '+' || part === given[place]);
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/;

/** An API that anybody can reach and that asks nobody who they are is a mistake, not a choice. */
function accessFaults(values: Readonly<Record<string, unknown>>): { name: string; message: string }[] {
  const isApi = (values['ROLES'] as readonly string[]).includes('api');
  const required = values['AUTH'] === 'required';
  const tokens = values['JWT_JWKS_URL'] !== undefined || values['JWT_SECRET'] !== undefined;
  const faults = [];
  if (isApi && !required && !LOOPBACK.test(values['HTTP_HOST'] as string))
    faults.push({ name: 'HTTP_HOST', message: 'is no loopback address: the API needs AUTH=required there' });
  const checks = tokens || values['API_KEYS_FILE'] !== undefined;
  if (isApi && !required && checks)
    faults.push({
      name: 'AUTH',
      message: 'is off, so that nobody is asked for the token or key that is set up: AUTH=required',
    });
  if (isApi && required && !checks)
    faults.push({
      name: 'AUTH',
      message: 'is required, but neither JWT_JWKS_URL, JWT_SECRET nor API_KEYS_FILE is set',
    });
  if (values['JWT_JWKS_URL'] !== undefined && values['JWT_SECRET'] !== undefined)
    faults.push({ name: 'JWT_SECRET', message: 'is set beside JWT_JWKS_URL: one of them' });
  if (tokens && (values['JWT_ISSUER'] === undefined || values['JWT_AUDIENCE'] === undefined))
    faults.push({
      name: 'JWT_ISSUER',
      message: 'and JWT_AUDIENCE are needed, or tokens made for others would be taken',
    });
  return faults;
}

/**
 * Reads every setting out of the environment once. An empty variable counts as not set.
 * @throws SettingsError that names every bad variable
 */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const result = environment.safeParse(given);
  if (result.success) return Object.freeze(result.data) as unknown as Settings;
  const lines = result.error.issues.map((issue) => `  ${issue.path[0]?.toString() ?? '?'}: ${issue.message}`);
  throw new SettingsError(`Settings that cannot be used:\n${lines.join('\n')}`);
}

/** Settings whose default depends on NODE_ENV. */
const BY_ENVIRONMENT = new Set(['GRAPHIQL', 'INTROSPECTION']);

/** The rows of the settings table in the README: name, default, unit, purpose. */
export function settingsTable(): string[][] {
  return Object.entries(ENTRIES).map(([name, entry]) => {
    const fallback = BY_ENVIRONMENT.has(name) ? 'on' : defaultOf(entry.schema);
    return [`\`${name}\``, fallback === undefined ? '–' : `\`${fallback}\``, entry.unit, entry.purpose];
  });
}

function defaultOf(schema: z.ZodType): string | undefined {
  const parsed = schema.safeParse(undefined);
  if (!parsed.success || parsed.data === undefined) return undefined;
  return Array.isArray(parsed.data) ? parsed.data.join(',') : `${parsed.data as string | number}`;
}
