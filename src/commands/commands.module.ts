import {
  type DynamicModule,
  Inject,
  Injectable,
  Module,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import type { Log } from '../log/log.js';
import type { Metrics } from '../metrics/metrics.js';
import { METRICS } from '../metrics/metrics.token.js';
import type { Settings } from '../settings/settings.js';
import type { Database } from '../twin/database.js';
import { DATABASE } from '../twin/twin.module.js';
import { CommandBridge, type CommandBridgeOptions, type CommandStatusReport } from './command-bridge.js';

const COMMAND_OPTIONS = Symbol('COMMAND_OPTIONS');

const NOTHING: CommandStatusReport = {
  connected: false,
  published: 0,
  refused: 0,
  answers: { applied: 0, repeated: 0, late: 0, unknown: 0, malformed: 0 },
  trouble: null,
};

/** Starts with the application and waits for nothing: neither probes nor sensor data depend on it. */
@Injectable()
export class CommandRunner implements OnApplicationBootstrap, OnModuleDestroy {
  private bridge: CommandBridge | null = null;

  constructor(
    @Inject(COMMAND_OPTIONS) private readonly options: Omit<CommandBridgeOptions, 'collections'>,
    @Inject(DATABASE) private readonly database: Database,
    @Inject(METRICS) private readonly metrics: Metrics,
  ) {}

  onApplicationBootstrap(): void {
    this.bridge ??= new CommandBridge({ ...this.options, collections: this.database.collections });
    const { metrics } = this;
    metrics.observed('commands_connected', '1 while subscribed to answers', () => Number(this.status().connected));
    metrics.observed('commands_published', 'Commands that the broker took, repetitions included', () => {
      return this.status().published;
    });
    metrics.observed('commands_refused', 'Commands that the broker refused', () => this.status().refused);
    metrics.observed('commands_waiting_for_mongodb', '1 while MongoDB gives no commands', () =>
      Number(this.status().trouble !== null),
    );
    for (const [outcome, help] of Object.entries(ANSWERS))
      metrics.observed(
        `command_answers_${outcome}`,
        help,
        () => this.status().answers[outcome as keyof typeof ANSWERS],
      );
  }

  async onModuleDestroy(): Promise<void> {
    await this.bridge?.stop();
  }

  status(): CommandStatusReport {
    return this.bridge?.status() ?? NOTHING;
  }
}

const ANSWERS = {
  applied: 'Answers of cars that ended a command',
  repeated: 'Answers that said again what was known; every bridge sees every answer',
  late: 'Answers to commands that had ended otherwise',
  unknown: 'Answers to commands that there are not',
  malformed: 'Messages on the topics of answers that are none',
} as const;

/** Desired state, from MongoDB to the cars, and their answers back: for the bridge role. */
@Module({})
export class CommandsModule {
  static with(settings: Settings, log: Log): DynamicModule {
    const options: Omit<CommandBridgeOptions, 'collections'> = {
      mqtt: {
        url: settings.MQTT_URL,
        clientId: `${settings.MQTT_CLIENT_ID}-commands`,
        sessionExpiry: settings.MQTT_SESSION_EXPIRY,
        receiveMaximum: settings.MQTT_RECEIVE_MAXIMUM,
      },
      topic: settings.COMMAND_TOPIC,
      retry: settings.COMMAND_RETRY * 1_000,
      log,
    };
    return { module: CommandsModule, providers: [CommandRunner, { provide: COMMAND_OPTIONS, useValue: options }] };
  }
}
