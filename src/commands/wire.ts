import { isCarId } from '../telemetry/car-id.js';
import type { CommandDocument } from '../twin/command-documents.js';

/** What a car said to a command. */
export interface CarAnswer {
  readonly car: string;
  /** Id of the command, which begins with the car's. */
  readonly id: string;
  readonly status: 'ACCEPTED' | 'REJECTED';
  readonly reason: string | null;
}

/** Larger answers are not looked at; bytes. */
const LARGEST = 4_096;
/** Characters of a reason that are kept. */
const LONGEST_REASON = 500;
const LONGEST_ID = 128;

export const commandTopic = (prefix: string, car: string) => `${prefix}/${car}`;
export const answerTopic = (prefix: string, car: string) => `${prefix}/${car}/answer`;
/** The answers of all cars; no sensor topic and no command is among them. */
export const answerFilter = (prefix: string) => `${prefix}/+/answer`;

/** The payload of a command: JSON, all desired values in it. */
export function encodeCommand({ _id: id, car, version, values, at, expiresAt }: CommandDocument): string {
  return JSON.stringify({ id, car, version, values, issuedAt: at, expiresAt });
}

/**
 * The answer in a message; null for anything that is none. A car speaks for itself alone: the command has to be one of the
 * car in the topic.
 */
export function readAnswer(prefix: string, topic: string, payload: Buffer): CarAnswer | null {
  const car = topic.slice(prefix.length + 1, -'/answer'.length);
  if (!isCarId(car) || topic !== answerTopic(prefix, car) || payload.length > LARGEST) return null;
  const said = parsed(payload);
  if (typeof said !== 'object' || said === null) return null;
  const { id, status, reason } = said as Readonly<Record<string, unknown>>;
  if (typeof id !== 'string' || id.length > LONGEST_ID || !id.startsWith(`${car}/`)) return null;
  if (status !== 'ACCEPTED' && status !== 'REJECTED') return null;
  if (reason !== undefined && reason !== null && typeof reason !== 'string') return null;
  return { car, id, status, reason: reason === undefined || reason === null ? null : wellFormed(reason) };
}

/** Half of a pair of code units is nothing that MongoDB could hold: it becomes a replacement character. */
const wellFormed = (text: string) => Buffer.from(text.slice(0, LONGEST_REASON)).toString();

function parsed(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString());
  } catch {
    return null;
  }
}
