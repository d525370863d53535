import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../log/log.js';
import type { MqttMessage } from '../mqtt-bridge/mqtt-connection.js';
import { ANSWER_OUTCOMES, type AnswerOutcome, type CommandStore } from './command-store.js';
import { type CarAnswer, readAnswer } from './wire.js';

export type AnswerCounts = Record<AnswerOutcome | 'malformed', number>;

interface Waiting {
  readonly answer: CarAnswer;
  readonly message: Pick<MqttMessage, 'source' | 'held'>;
}

/** Answers that are noted with one read and one or two writes. */
const BATCH = 200;
/** Answers that may wait before no more are read from the broker. */
const ROOM = 1_000;
/** Between two tries to reach MongoDB, ms. */
const RETRY = 1_000;

/**
 * Brings the answers of cars into MongoDB. The PUBACK goes out when they are there, so that the broker keeps them until then;
 * what is no answer gets its PUBACK at once and is counted.
 */
export class AnswerInbox {
  readonly counts: AnswerCounts = { applied: 0, repeated: 0, late: 0, unknown: 0, malformed: 0 };
  private waiting: Waiting[] = [];
  private working: Promise<void> | null = null;
  private readonly stopping = new AbortController();
  private madeRoom: (() => void)[] = [];

  constructor(
    private readonly store: CommandStore,
    private readonly options: { readonly topic: string; readonly log: Log; readonly now: () => Date },
  ) {}

  /** Takes a message; a promise stops reading from the broker until there is room. */
  take(message: MqttMessage): Promise<void> | null {
    if (this.stopping.signal.aborted) return null;
    const answer = readAnswer(this.options.topic, message.topic, message.payload);
    if (!answer) {
      this.counts.malformed += 1;
      acknowledge(message);
      return null;
    }
    this.waiting.push({ answer, message });
    this.working ??= this.work();
    return this.waiting.length < ROOM ? null : new Promise((resolve) => this.madeRoom.push(resolve));
  }

  /** What is not noted yet stays with the broker. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.leaveRoom();
    await this.working;
  }

  private async work(): Promise<void> {
    let told = false;
    while (this.waiting.length > 0 && !this.stopping.signal.aborted) {
      const batch = this.waiting.slice(0, BATCH);
      try {
        await this.note(batch);
        told = false;
      } catch (error) {
        if (!told) this.options.log('warn', `commands: answers wait for MongoDB: ${(error as Error).message}`);
        told = true;
        await pause(RETRY, undefined, { signal: this.stopping.signal }).catch(() => undefined);
      }
    }
    this.working = null;
  }

  private async note(batch: readonly Waiting[]): Promise<void> {
    const outcomes = await this.store.answered(
      batch.map(({ answer }) => answer),
      this.options.now(),
    );
    for (const outcome of ANSWER_OUTCOMES) this.counts[outcome] += outcomes.filter((one) => one === outcome).length;
    this.waiting = this.waiting.slice(batch.length);
    for (const { message } of batch) acknowledge(message);
    if (this.waiting.length < ROOM) this.leaveRoom();
  }

  private leaveRoom(): void {
    for (const resolve of this.madeRoom.splice(0)) resolve();
  }
}

function acknowledge({ source, held }: Pick<MqttMessage, 'source' | 'held'>): void {
  if (held) source.release(held);
}
