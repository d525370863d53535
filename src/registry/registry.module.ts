import {
  Inject,
  Module,
  type BeforeApplicationShutdown,
  type DynamicModule,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { HealthChecks } from '../health/health-checks.js';
import { Producer } from '../kafka/producer.js';
import type { Log } from '../log/log.js';
import { METRICS } from '../metrics/metrics.token.js';
import type { Metrics } from '../metrics/metrics.js';
import { loadScorer } from '../score/load-scorer.js';
import type { Settings } from '../settings/settings.js';
import type { Database } from '../twin/database.js';
import { DATABASE } from '../twin/twin.module.js';
import { announce } from './announce.js';
import { DriftWatch } from './drift-watch.js';
import { ModelsInUse } from './models-in-use.js';

/** Token of the `ModelsInUse`. Whoever scores with them closes them, after its last batch. */
export const MODELS_IN_USE = Symbol('ModelsInUse');
const WATCH = Symbol('DriftWatch');
const PRODUCER = Symbol('ModelUpdatesProducer');

/** ms */
const DRIFT_INTERVAL = 600_000;

/** The models in use as the registry has them, told to the topic of model updates, and how far the fleet is from their training. */
@Module({})
export class RegistryModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    @Inject(MODELS_IN_USE) private readonly models: ModelsInUse,
    @Inject(WATCH) private readonly watch: DriftWatch,
    @Inject(PRODUCER) private readonly producer: Producer,
    @Inject(HealthChecks) private readonly health: HealthChecks,
  ) {}

  static with(settings: Settings, log: Log): DynamicModule {
    const producer = {
      provide: PRODUCER,
      useFactory: () => new Producer({ brokers: settings.KAFKA_BROKERS, clientId: settings.KAFKA_CLIENT_ID, log }),
    };
    const models = {
      provide: MODELS_IN_USE,
      inject: [DATABASE, METRICS, PRODUCER],
      useFactory: (database: Database, metrics: Metrics, outlet: Producer) =>
        modelsInUse(settings, log, { database, metrics, outlet }),
    };
    const watch = {
      provide: WATCH,
      inject: [DATABASE, METRICS],
      useFactory: (database: Database, metrics: Metrics) =>
        new DriftWatch({
          database,
          fallbackDir: settings.MODEL_DIR,
          log,
          clock: Date.now,
          onDrift: (groups) => metrics.drift(groups),
          interval: DRIFT_INTERVAL,
        }),
    };
    return { module: RegistryModule, providers: [producer, models, watch], exports: [MODELS_IN_USE] };
  }

  onApplicationBootstrap(): void {
    const refused = () => this.models.refused;
    this.models.start();
    this.watch.start();
    this.health.add(
      'models',
      () => Promise.resolve(refused().length === 0 ? 'ok' : `cannot be used: ${refused().join(', ')}`),
      'watched',
    );
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.watch.stop();
    await this.producer.close();
  }
}

/** The model of the settings until the registry says otherwise. */
async function modelsInUse(
  settings: Settings,
  log: Log,
  { database, metrics, outlet }: { database: Database; metrics: Metrics; outlet: Producer },
): Promise<ModelsInUse> {
  const { TF_BACKEND: backend, SCORE_EVALUATOR: evaluator, MODEL_DIR, MODEL_UPDATES_TOPIC } = settings;
  const load = (dir: string) => loadScorer({ dir, backend, evaluator, log });
  const fallback = await load(MODEL_DIR);
  return new ModelsInUse({
    database,
    fallback,
    load,
    log,
    onChange: (slots, { champion, shadows }, refused) => {
      const beside = shadows.map(({ model }) => model);
      metrics.models(champion.model, beside, refused);
      announce(database, slots, MODEL_UPDATES_TOPIC, outlet).catch((error: unknown) =>
        log('warn', 'a change of the models was not announced', { error: String(error) }),
      );
    },
  });
}
