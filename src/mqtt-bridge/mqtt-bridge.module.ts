import {
  type DynamicModule,
  Inject,
  Injectable,
  Module,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { HealthChecks } from '../health/health-checks.js';
import type { Log } from '../log/log.js';
import type { Metrics } from '../metrics/metrics.js';
import { METRICS } from '../metrics/metrics.token.js';
import type { Settings } from '../settings/settings.js';
import { MqttBridge, type BridgeOptions, type BridgeStatus } from './mqtt-bridge.js';

const BRIDGE_OPTIONS = Symbol('BRIDGE_OPTIONS');

const NOT_STARTED: BridgeStatus = {
  connected: false,
  kafkaAvailable: false,
  received: 0,
  produced: 0,
  deadLettered: 0,
  inFlight: 0,
};

/** Starts the bridge with the application, and stops it before anything that it leans on. */
@Injectable()
export class BridgeRunner implements OnApplicationBootstrap, OnModuleDestroy {
  #bridge: MqttBridge | null = null;

  constructor(
    @Inject(BRIDGE_OPTIONS) private readonly options: BridgeOptions,
    @Inject(HealthChecks) private readonly health: HealthChecks,
    @Inject(METRICS) private readonly metrics: Metrics,
  ) {}

  onApplicationBootstrap(): void {
    this.#bridge ??= new MqttBridge(this.options);
    this.health.add('mqtt', () => Promise.resolve(this.status().connected ? 'ok' : 'not subscribed at the broker'));
    this.health.add('bridge-kafka', () =>
      Promise.resolve(this.status().kafkaAvailable ? 'ok' : 'Kafka takes no records'),
    );
    this.#observe();
  }

  async onModuleDestroy(): Promise<void> {
    await this.#bridge?.stop();
  }

  #observe(): void {
    const { metrics } = this;
    metrics.observed('bridge_received_messages', 'Messages from the broker', () => this.status().received);
    metrics.observed('bridge_produced_records', 'Messages in the sensor topic', () => this.status().produced);
    metrics.observed('bridge_dead_letters', 'Messages in the dead-letter topic', () => this.status().deadLettered);
    metrics.observed('bridge_held_messages', 'Messages not yet acknowledged', () => this.status().inFlight);
    metrics.observed('bridge_connected', '1 while subscribed', () => Number(this.status().connected));
  }

  status(): BridgeStatus {
    return this.#bridge?.status() ?? NOT_STARTED;
  }
}

@Module({})
export class MqttBridgeModule {
  static with(settings: Settings, log: Log): DynamicModule {
    return {
      module: MqttBridgeModule,
      providers: [BridgeRunner, { provide: BRIDGE_OPTIONS, useValue: optionsOf(settings, log) }],
      exports: [BridgeRunner],
    };
  }
}

function optionsOf(settings: Settings, log: Log): BridgeOptions {
  return {
    mqtt: {
      url: settings.MQTT_URL,
      clientId: settings.MQTT_CLIENT_ID,
      subscription: settings.MQTT_SUBSCRIPTION,
      shareGroup: settings.MQTT_SHARE_GROUP,
      sessionExpiry: settings.MQTT_SESSION_EXPIRY,
      receiveMaximum: settings.MQTT_RECEIVE_MAXIMUM,
    },
    kafka: { brokers: settings.KAFKA_BROKERS, clientId: `${settings.KAFKA_CLIENT_ID}-bridge`, log },
    topics: {
      filter: settings.MQTT_TOPIC,
      sensor: settings.SENSOR_TOPIC,
      deadLetters: settings.DEAD_LETTER_TOPIC,
      maxBody: settings.BRIDGE_MAX_BODY,
    },
    linger: settings.BRIDGE_LINGER,
    batch: settings.BRIDGE_BATCH,
    log,
  };
}
