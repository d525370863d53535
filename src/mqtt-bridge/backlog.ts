import type { OutRecord } from '../kafka/out-record.js';
import type { Acknowledgements, Held } from './acknowledgements.js';

/** A message on its way into Kafka. */
export interface Carried {
  readonly record: OutRecord;
  /** ms since 1970 */
  readonly receivedAt: number;
  readonly source: Acknowledgements;
  /** null for QoS 0, which has no PUBACK. */
  readonly held: Held | null;
}

export interface BacklogLimits {
  readonly messages: number;
  readonly bytes: number;
}

const sizeOf = ({ record }: Carried) => record.value?.length ?? 0;

/** What was received and is not in Kafka yet, in order of arrival. Above its limits it asks the connection to stop reading. */
export class Backlog {
  readonly #limits: BacklogLimits;
  #waiting: Carried[] = [];
  #messages = 0;
  #bytes = 0;
  #wake = () => {};
  #makeRoom = () => {};
  #room: Promise<void> | null = null;

  constructor(limits: BacklogLimits) {
    this.#limits = limits;
  }

  /** Messages that are not in Kafka yet, those being produced included. */
  get held(): number {
    return this.#messages;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** When the message that waits longest was received, ms since 1970. */
  get oldest(): number | null {
    return this.#waiting[0]?.receivedAt ?? null;
  }

  add(message: Carried): void {
    this.#waiting.push(message);
    this.#messages += 1;
    this.#bytes += sizeOf(message);
    this.#wake();
  }

  /** Settled when there is room; null when there is. */
  room(): Promise<void> | null {
    if (this.#hasRoom()) return null;
    this.#room ??= new Promise((resolve) => (this.#makeRoom = resolve));
    return this.#room;
  }

  /** Takes the next messages to be produced. They count as held until they are `done`. */
  take(most: number): Carried[] {
    return this.#waiting.splice(0, most);
  }

  done(messages: readonly Carried[]): void {
    this.#messages -= messages.length;
    for (const message of messages) this.#bytes -= sizeOf(message);
    if (this.#room === null || !this.#hasRoom()) return;
    this.#room = null;
    this.#makeRoom();
  }

  /** Leaves out what the broker will send again: it kept the session of the connection that has closed. */
  forgetRedelivered(): void {
    const again = (message: Carried) => message.held !== null && !message.source.open;
    const forgotten = this.#waiting.filter(again);
    if (forgotten.length === 0) return;
    this.#waiting = this.#waiting.filter((message) => !again(message));
    this.done(forgotten);
  }

  /** Settled at the next message, or by `wake`. */
  next(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }

  wake(): void {
    this.#wake();
  }

  #hasRoom(): boolean {
    return this.#messages <= this.#limits.messages && this.#bytes <= this.#limits.bytes;
  }
}
