import type { Reading } from '../telemetry/reading.js';
import { noSignals, SIGNAL_NAMES, type SignalName, type Signals } from '../telemetry/signals.js';
import { CAR, FORBIDDEN, LABEL, roleOf, TIME, TIMESTAMP } from './field-names.js';
import { isInstant, parseTime } from './message-time.js';
import { quoted, Refusal } from './rejection.js';

/** What is known of a message before its body is looked at. */
export interface Envelope {
  /** The car of the record's key. */
  readonly car: string;
  /** The record's own time, ms since 1970; negative when Kafka has none. */
  readonly recordTime: number;
  /** How far a car's clock may be ahead of the record's time, ms. */
  readonly clockAhead: number;
}

const NO_SIGNALS: Signals = noSignals();

/**
 * The fields of one message, gathered one by one in whatever order, spelling and format they come, and what they make
 * together. A field that is null or undefined counts as not sent.
 */
export class MessageDraft {
  readonly #envelope: Envelope;
  readonly #signals: Signals = { ...NO_SIGNALS };
  #sent = 0;
  #timestamp: unknown = undefined;
  #time: unknown = undefined;
  #label: boolean | null = null;

  constructor(envelope: Envelope) {
    this.#envelope = envelope;
  }

  /** Takes the field `name`; null when that is well. */
  put(name: string, value: unknown): Refusal | null {
    return this.putAs(roleOf(name), name, value);
  }

  /** As `put`, for a field whose role is known. */
  putAs(role: number, name: string, value: unknown): Refusal | null {
    if (role === FORBIDDEN) return new Refusal('FORBIDDEN_KEY', `the name ${quoted(name)} is not allowed`);
    if (value === null || value === undefined) return null;
    const signal = SIGNAL_NAMES[role];
    if (signal !== undefined) return this.#putSignal(signal, name, value);
    if (role === TIMESTAMP) return this.#putTimestamp(value);
    if (role === TIME) return this.#putTime(value);
    if (role === CAR) return this.#matchCar(value);
    return role === LABEL ? this.#putLabel(value) : null;
  }

  /** The reading, or why the fields together are none. */
  finish(): Reading | Refusal {
    if (this.#sent === 0) return new Refusal('NO_SIGNAL', 'none of the signals is there');
    const { car, recordTime, clockAhead } = this.#envelope;
    // Kafka takes any 64 bits from a producer, but no date holds them: neither `at` nor the time of arrival could be stored.
    if (!(recordTime < 0 || isInstant(recordTime)))
      return new Refusal('BAD_TIME', 'the record has a time beyond the year 9999');
    const sent = this.#timestamp ?? this.#time;
    const label = this.#label;
    const signals = this.#signals;
    if (sent === undefined) {
      if (recordTime < 0) return new Refusal('BAD_TIME', 'neither the message nor its record has a time');
      return { car, at: recordTime, skewedAt: null, signals, label };
    }
    const at = parseTime(sent);
    if (at === null) return new Refusal('BAD_TIME', `the time (a ${typeof sent}) is none that is understood`);
    const ahead = recordTime >= 0 && at > recordTime + clockAhead;
    return { car, at: ahead ? recordTime : at, skewedAt: ahead ? at : null, signals, label };
  }

  #putSignal(signal: SignalName, name: string, value: unknown): Refusal | null {
    if (typeof value !== 'number')
      return new Refusal('WRONG_TYPE', `${quoted(name)} is a ${typeof value}, not a number`);
    if (!Number.isFinite(value)) return new Refusal('NOT_FINITE', `${quoted(name)} is not a finite number`);
    const before = this.#signals[signal];
    if (before === null) this.#sent += 1;
    else if (before !== value) return new Refusal('CONFLICTING_VALUES', `${signal} has two different values`);
    // Adding 0 turns -0 into 0: the two are equal, but would be stored and hashed as two.
    this.#signals[signal] = value + 0;
    return null;
  }

  #putTimestamp(value: unknown): Refusal | null {
    if (this.#timestamp !== undefined && this.#timestamp !== value) return conflict('timestamp');
    this.#timestamp = value;
    return null;
  }

  #putTime(value: unknown): Refusal | null {
    if (this.#time !== undefined && this.#time !== value) return conflict('time');
    this.#time = value;
    return null;
  }

  #matchCar(value: unknown): Refusal | null {
    const named = typeof value === 'number' ? String(value) : value;
    if (named === this.#envelope.car) return null;
    return new Refusal('CAR_MISMATCH', 'the body names another car than the key');
  }

  #putLabel(value: unknown): Refusal | null {
    const label = labelOf(value);
    if (label === null)
      return new Refusal('BAD_LABEL', `failure_occurred (a ${typeof value}) is neither true nor false`);
    if (this.#label !== null && this.#label !== label) return conflict('failure_occurred');
    this.#label = label;
    return null;
  }
}

function labelOf(value: unknown): boolean | null {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string' || value.length > 5) return null;
  const word = value.toLowerCase();
  return word === 'true' ? true : word === 'false' ? false : null;
}

function conflict(field: string): Refusal {
  return new Refusal('CONFLICTING_VALUES', `${field} has two different values`);
}
