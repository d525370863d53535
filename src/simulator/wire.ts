import { SIGNALS, SIGNAL_NAMES } from '../telemetry/signals.js';
import type { CarMessage } from './fleet.js';

/** The simulator's spelling leaves out the underscore before the wheel: `tire_pressure11`, `accelerometer11_value`. */
const KEYS = SIGNALS.map(({ name, wire }) => ({ name, key: `"${wire.replace(/_(?=\d\d)/, '')}":` }));

/**
 * The payload that a car publishes: JSON with the 18 signals, `timestamp` in ms, the label `failure_occurred` as text, and
 * `location` in degrees where the message has one.
 * A signal that is missing (null) is left out, an unknown label too. The car's id is in the topic alone.
 */
export function encodeMessage(message: CarMessage): Buffer {
  return Buffer.from(`{${bodyOf(message)}}`);
}

/** One line of a JSON-lines file, without its end: the payload with the car's id in front. */
export function jsonLine(message: CarMessage): string {
  return `{"car":"${message.car}",${bodyOf(message)}}`;
}

export const CSV_HEADER = ['time', 'car', ...SIGNALS.map(({ wire }) => wire), 'failure_occurred'].join(',');

/** One row under CSV_HEADER, without its end; the time in ms, nothing where a value is missing. */
export function csvLine({ at, car, signals, label }: CarMessage): string {
  return [at, car, ...SIGNAL_NAMES.map((name) => signals[name] ?? ''), label ?? ''].join(',');
}

function bodyOf({ at, signals, label, location }: CarMessage): string {
  let body = `"timestamp":${at}`;
  for (const { name, key } of KEYS) {
    const value = signals[name];
    if (value !== null) body += `,${key}${value}`;
  }
  if (location !== undefined) body += `,"location":{"lat":${location.lat},"lon":${location.lon}}`;
  return label === null ? body : `${body},"failure_occurred":"${label}"`;
}
