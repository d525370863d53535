import { setTimeout as delay } from 'node:timers/promises';
import type { CarMessage } from '../simulator/fleet.js';
import { hashSignals } from '../telemetry/signals-hash.js';
import { newestOf } from '../twin/apply-reading.js';
import { isAfter, type ReadingOrder } from '../twin/arrival.js';
import { openDatabase, type Database } from '../twin/database.js';
import type { PositionCounts } from '../twin/documents.js';
import { tick } from './terminal.js';

/** What the store holds at the end, over all runs on its data. */
export interface DemoTotals {
  readonly readings: number;
  readonly cars: number;
  readonly rejected: number;
  readonly duplicates: number;
  readonly anomalies: number;
}

const ASK_AGAIN = 200;
/** ms without any progress after which the check fails. */
const PATIENCE = 60_000;

/** Follows what was sent into MongoDB. */
export class DemoCheck {
  /** The newest message of every car, by time and then by the hash of the signals, as twins order them. */
  readonly #last = new Map<string, ReadingOrder>();

  private constructor(
    private readonly database: Database,
    private readonly before: PositionCounts,
    private readonly signal: AbortSignal,
  ) {}

  static async begin(mongodbUri: string, signal: AbortSignal): Promise<DemoCheck> {
    const database = openDatabase(mongodbUri, 'fleet', 'fleet-twin-demo');
    return new DemoCheck(database, await countsOf(database), signal);
  }

  sent(message: CarMessage): void {
    const order = { at: message.at, hash: hashSignals(message.signals) };
    const last = this.#last.get(message.car);
    if (!last || isAfter(order, last)) this.#last.set(message.car, order);
  }

  /**
   * Waits until as many records as were published have ended in the history or in a count, then compares every twin with
   * the newest message of its car.
   * @throws when nothing moves any more, or a twin differs
   */
  async untilStored(published: number): Promise<DemoTotals> {
    const before = sum(this.before);
    for (let seen = -1, since = Date.now(); ; ) {
      this.signal.throwIfAborted();
      const counts = await countsOf(this.database);
      const arrived = sum(counts) - before;
      tick(`${arrived} of ${published} messages are in MongoDB`);
      if (arrived >= published) return this.#totals(counts);
      if (arrived !== seen) [seen, since] = [arrived, Date.now()];
      if (Date.now() - since > PATIENCE)
        throw new Error(
          `only ${arrived} of ${published} messages came to MongoDB, and nothing for ${PATIENCE / 1_000} s`,
        );
      await delay(ASK_AGAIN);
    }
  }

  async close(): Promise<void> {
    await this.database.client.close();
  }

  async #totals(counts: PositionCounts): Promise<DemoTotals> {
    const { readings, twins, anomalies } = this.database.collections;
    for (const [car, last] of this.#last) {
      const twin = newestOf(await twins.findOne({ _id: car }));
      // Newer is right, too: an earlier run on the same data may have come further.
      if (twin === null || isAfter(last, twin)) throw new Error(`the twin of ${car} is not its newest message`);
    }
    return {
      readings: await readings.countDocuments(),
      cars: await twins.countDocuments(),
      rejected: counts.rejected,
      duplicates: counts.duplicate,
      anomalies: await anomalies.countDocuments(),
    };
  }
}

async function countsOf({ collections }: Database): Promise<PositionCounts> {
  const total = { stored: 0, late: 0, duplicate: 0, expired: 0, erased: 0, rejected: 0, lost: 0 };
  for (const { counts } of await collections.positions.find().toArray())
    for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += counts[name];
  return total;
}

/** Every record counts once; late ones are among the stored. */
function sum({ stored, duplicate, expired, erased, rejected }: PositionCounts): number {
  return stored + duplicate + expired + erased + rejected;
}
