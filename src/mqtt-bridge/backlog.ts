import type { OutRecord } from '../kafka/out-record.js';
import type { Acknowledgements, Held } from './acknowledgements.js';
import { Orphans } from './orphans.js';

/** A message on its way into Kafka. When the broker sends it again meanwhile, the PUBACK that is owed is that of the repetition. */
export interface Carried {
  readonly record: OutRecord;
  /** ms since 1970 */
  readonly receivedAt: number;
  source: Acknowledgements;
  /** null for QoS 0, which has no PUBACK. */
  held: Held | null;
}

export interface BacklogLimits {
  readonly messages: number;
  readonly bytes: number;
}

const sizeOf = ({ record }: Carried) => record.value?.length ?? 0;

/** What was received and is not in Kafka yet, in order of arrival. Above its limits it asks the connection to stop reading. */
export class Backlog {
  readonly #limits: BacklogLimits;
  readonly #orphans = new Orphans();
  #waiting: Carried[] = [];
  #taken: readonly Carried[] = [];
  #repeating: Acknowledgements | null = null;
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

  /** Takes the next messages to be produced, one batch at a time. They count as held until they are `done`. */
  take(most: number): Carried[] {
    const batch = this.#waiting.splice(0, most);
    this.#taken = batch;
    return batch;
  }

  done(messages: readonly Carried[]): void {
    this.#taken = [];
    this.#messages -= messages.length;
    for (const message of messages) {
      this.#bytes -= sizeOf(message);
      this.#orphans.delete(message);
    }
    if (this.#room === null || !this.#hasRoom()) return;
    this.#room = null;
    this.#makeRoom();
  }

  /**
   * Whether a message that the broker may have sent before is here; then it is only its PUBACK that is new. Nothing is thrown
   * away because the broker will send it again: one that was killed may know the session and not its last messages.
   */
  repeats({ record, source, held }: Carried): boolean {
    if (source !== this.#repeating) {
      this.#repeating = source;
      this.#orphans.replace([...this.#taken, ...this.#waiting]);
    }
    const orphan = this.#orphans.take(record);
    if (orphan === null) return false;
    orphan.source = source;
    orphan.held = held;
    return true;
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
