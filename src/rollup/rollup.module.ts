import { randomUUID } from 'node:crypto';
import {
  Inject,
  Module,
  type BeforeApplicationShutdown,
  type DynamicModule,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import type { Log } from '../log/log.js';
import { keptFor } from '../settings/kept-days.js';
import type { Settings } from '../settings/settings.js';
import type { Database } from '../twin/database.js';
import { DATABASE } from '../twin/twin.module.js';
import { Rounds } from './rounds.js';
import { Roller } from './roller.js';

const ROUNDS = Symbol('RollupRounds');

/** ms between two rounds */
const INTERVAL = 10_000;

/** What ingest marked becomes rollups. */
@Module({})
export class RollupModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(@Inject(ROUNDS) private readonly rounds: Rounds) {}

  static with(settings: Settings, log: Log): DynamicModule {
    const rounds = {
      provide: ROUNDS,
      inject: [DATABASE],
      useFactory: (database: Database) => {
        const roller = new Roller(database, {
          clock: Date.now,
          newRun: randomUUID,
          retention: {
            readings: keptFor(settings.HISTORY_RETENTION),
            FIVE_MINUTES: keptFor(settings.ROLLUP_RETENTION),
            HOUR: keptFor(settings.ROLLUP_HOUR_RETENTION),
          },
        });
        return new Rounds(roller, log);
      },
    };
    return { module: RollupModule, providers: [rounds] };
  }

  onApplicationBootstrap(): void {
    this.rounds.start(INTERVAL);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.rounds.stop();
  }
}
