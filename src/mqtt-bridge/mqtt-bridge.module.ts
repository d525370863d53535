import {
  type DynamicModule,
  Inject,
  Injectable,
  Module,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import type { Log } from '../log/log.js';
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

  constructor(@Inject(BRIDGE_OPTIONS) private readonly options: BridgeOptions) {}

  onApplicationBootstrap(): void {
    this.#bridge ??= new MqttBridge(this.options);
  }

  async onModuleDestroy(): Promise<void> {
    await this.#bridge?.stop();
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
