import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../log/log.js';
import { MqttConnection, MqttError, type MqttOptions, type TakeMessage } from '../mqtt-bridge/mqtt-connection.js';
import type { CommandDocument } from '../twin/command-documents.js';
import { answerFilter, answerTopic, commandTopic, encodeCommand } from './wire.js';

const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 2_000;
/** How long the broker may take to acknowledge a command, ms. */
const PUBACK_LIMIT = 15_000;

export interface LinkOptions {
  readonly mqtt: MqttOptions;
  /** See COMMAND_TOPIC. */
  readonly topic: string;
  readonly log: Log;
}

/**
 * The connection to the broker over which commands go out and answers come in: beside the one for sensor data, so that
 * neither waits for the other. Its session is kept, and with it the answers that come while nobody is connected.
 */
export class CommandLink {
  private readonly stopping = new AbortController();
  private readonly listening: Promise<void>;
  private connection: MqttConnection | null = null;
  private told = '';

  /** @param up called whenever the connection stands */
  constructor(
    private readonly options: LinkOptions,
    private readonly take: TakeMessage,
    private readonly up: () => void,
  ) {
    this.listening = this.listen();
  }

  get connected(): boolean {
    return this.connection !== null;
  }

  /**
   * Resolves when the broker has the command.
   * @param keep how long the broker may keep it for a car that is away, s; before MQTT 5 as long as it likes
   * @throws MqttError
   */
  async publish(command: CommandDocument, keep: number): Promise<void> {
    const { connection } = this;
    if (!connection) throw new MqttError('UNREACHABLE', 'there is no connection to the broker');
    const { topic } = this.options;
    const sent = connection.publish(commandTopic(topic, command.car), encodeCommand(command), {
      contentType: 'application/json',
      messageExpiryInterval: keep,
      responseTopic: answerTopic(topic, command.car),
      correlationData: Buffer.from(command._id),
    });
    // A broker that answers pings and nothing else would hold up everything.
    const late = setTimeout(() => void connection.end(), PUBACK_LIMIT);
    await sent.finally(() => clearTimeout(late));
  }

  async stop(): Promise<void> {
    this.stopping.abort(new Error('The bridge stops'));
    await this.connection?.end();
    await this.listening;
  }

  private async listen(): Promise<void> {
    const { signal } = this.stopping;
    for (let wait = FIRST_PAUSE; !signal.aborted; wait = Math.min(2 * wait, LONGEST_PAUSE)) {
      try {
        const reason = await this.listenOnce(() => (wait = FIRST_PAUSE));
        this.tell('warn', `commands: MQTT: ${reason}; connecting again`);
      } catch (error) {
        this.tell('error', `commands: MQTT: ${(error as Error).message}; trying again`);
      }
      await pause(wait, undefined, { signal }).catch(() => undefined);
    }
  }

  private async listenOnce(standing: () => void): Promise<string> {
    const connection = await this.open();
    try {
      const filter = answerFilter(this.options.topic);
      await connection.subscribe(filter);
      this.connection = connection;
      standing();
      this.tell('info', `commands: MQTT: subscribed to ${filter}`);
      this.up();
      return await connection.closed;
    } finally {
      this.connection = null;
      await connection.end();
    }
  }

  private async open(): Promise<MqttConnection> {
    const { mqtt } = this.options;
    const { signal } = this.stopping;
    try {
      return await MqttConnection.open(mqtt, 5, this.take, signal);
    } catch (error) {
      if (!(error instanceof MqttError && error.code === 'PROTOCOL_VERSION')) throw error;
      return await MqttConnection.open(mqtt, 4, this.take, signal);
    }
  }

  /** One line per change of state. */
  private tell(level: 'error' | 'warn' | 'info', line: string): void {
    if (line === this.told || this.stopping.signal.aborted) return;
    this.told = line;
    this.options.log(level, line);
  }
}
