import { randomUUID } from 'node:crypto';
import type { Log } from '../log/log.js';
import { MqttError, type MqttOptions } from '../mqtt-bridge/mqtt-connection.js';
import type { CommandDocument } from '../twin/command-documents.js';
import type { Collections } from '../twin/collections.js';
import { AnswerInbox, type AnswerCounts } from './answer-inbox.js';
import { CommandLink } from './command-link.js';
import { CommandStore, expireCommands } from './command-store.js';
import { CommandWatch } from './command-watch.js';

export interface CommandBridgeOptions {
  readonly collections: Pick<Collections, 'commands' | 'cars'>;
  readonly mqtt: MqttOptions;
  /** See COMMAND_TOPIC. */
  readonly topic: string;
  /** ms; see COMMAND_RETRY */
  readonly retry: number;
  readonly log: Log;
  readonly now?: () => Date;
}

export interface CommandStatusReport {
  /** Subscribed to answers at the broker. */
  readonly connected: boolean;
  /** Commands that the broker took, those that went out again included. */
  readonly published: number;
  /** Commands that the broker did not want, those that it refused again included. */
  readonly refused: number;
  readonly answers: AnswerCounts;
  /** What is wrong with MongoDB; null while nothing is. */
  readonly trouble: string | null;
}

/** Commands that are taken up at once. */
const BATCH = 200;
/** Commands that the broker has not acknowledged: mosquitto takes 20 from a client. */
const UNDER_WAY = 16;
/** Between two looks for what is due, ms, where nothing calls. */
const PERIOD = 1_000;
/** How long a stop waits for MongoDB, ms. */
const STOP_LIMIT = 6_000;

/**
 * Carries commands from MongoDB to the broker and answers back, at least once either way. MongoDB or the broker away means
 * waiting. Any number of them may run: each command is taken up by one at a time.
 */
export class CommandBridge {
  private readonly store: CommandStore;
  private readonly inbox: AnswerInbox;
  private readonly link: CommandLink;
  private readonly watch: CommandWatch;
  private readonly working: Promise<void>;
  private readonly now: () => Date;
  /** Names this process in what it takes up. */
  private readonly name = randomUUID();
  private claims = 0;
  private published = 0;
  private refused = 0;
  private trouble: string | null = null;
  private stopped = false;
  private called = false;
  private wake = () => {};

  constructor(private readonly options: CommandBridgeOptions) {
    const { collections, topic, log } = options;
    this.now = options.now ?? (() => new Date());
    this.store = new CommandStore(collections, options.retry);
    this.inbox = new AnswerInbox(this.store, { topic, log, now: this.now });
    const call = () => this.call();
    this.link = new CommandLink({ mqtt: options.mqtt, topic, log }, (message) => this.inbox.take(message), call);
    this.watch = new CommandWatch(collections.commands, call);
    this.working = this.work();
  }

  status(): CommandStatusReport {
    const { published, refused, trouble } = this;
    return { connected: this.link.connected, published, refused, answers: this.inbox.counts, trouble };
  }

  /** What it took up and did not publish is due again later. Does not wait long for MongoDB. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.call();
    const orderly = this.working.then(() => Promise.all([this.inbox.stop(), this.watch.stop()]));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => (timer = setTimeout(resolve, STOP_LIMIT)));
    await Promise.race([orderly, late]);
    clearTimeout(timer);
    await this.link.stop();
  }

  private call(): void {
    this.called = true;
    this.wake();
  }

  private async work(): Promise<void> {
    while (!this.stopped) {
      this.called = false;
      try {
        await expireCommands(this.options.collections.commands, this.now());
        while (!this.stopped && (await this.round()) === BATCH);
        if (this.trouble !== null) this.options.log('info', 'commands: MongoDB is back');
        this.trouble = null;
      } catch (error) {
        if (this.trouble === null) this.options.log('warn', `commands: they wait: ${(error as Error).message}`);
        this.trouble = (error as Error).message;
      }
      await this.pause();
    }
  }

  /** @returns how many commands the broker took */
  private async round(): Promise<number> {
    if (!this.link.connected) return 0;
    const claim = `${this.name}/${(this.claims += 1)}`;
    const commands = await this.store.claim(claim, this.now(), BATCH);
    const left = [...commands];
    const sent: CommandDocument[] = [];
    const unsent: CommandDocument[] = [];
    const carry = async () => {
      for (let next = left.shift(); next; next = left.shift()) {
        const outcome = await this.publish(next);
        if (outcome === 'sent') sent.push(next);
        // One that the broker refuses waits for its next time, and the others do not wait for it.
        if (outcome === 'unreachable') return void unsent.push(next);
      }
    };
    await Promise.all(Array.from({ length: UNDER_WAY }, carry));
    this.published += sent.length;
    await this.store.published(sent, this.now());
    await this.store.release([...unsent, ...left], claim, this.now());
    return sent.length;
  }

  private async publish(command: CommandDocument): Promise<'sent' | 'refused' | 'unreachable'> {
    const until = Math.min(command.expiresAt.getTime(), command.nextAt?.getTime() ?? Infinity);
    const keep = Math.max(1, Math.ceil((until - this.now().getTime()) / 1_000));
    try {
      await this.link.publish(command, keep);
      return 'sent';
    } catch (error) {
      if (!(error instanceof MqttError && error.code === 'REFUSED')) return 'unreachable';
      this.refused += 1;
      this.options.log('warn', `commands: ${error.message}`, { command: command._id });
      return 'refused';
    }
  }

  private pause(): Promise<void> {
    if (this.called) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, PERIOD);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
