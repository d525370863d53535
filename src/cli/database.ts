import { requestErasure } from '../twin/erase-receipt.js';
import { Command } from 'commander';
import { isCarId } from '../telemetry/car-id.js';
import { keptDaysOf } from '../settings/kept-days.js';
import { prepareDatabase } from '../twin/database.js';
import { markWritten } from '../rollup/rebuild.js';
import { answer } from './terminal.js';
import { withDatabase } from './with-database.js';

/** `fleet-twin db init`: what every start does by itself, as a step of its own. */
export function databaseCommand(): Command {
  const db = new Command('db').description('the database of the service');
  db.command('init')
    .description('creates collections and indexes, sets the retention, writes or checks the schema version')
    .action(() =>
      withDatabase(async (database, settings) => {
        await prepareDatabase(database, settings.HISTORY_RETENTION, keptDaysOf(settings));
        answer(`database ${settings.MONGODB_DATABASE} is ready`);
      }),
    );
  return db;
}

/** `fleet-twin erase CAR`: asks the ingest processes to forget a car; they do within seconds of their next batch. */
export function eraseCommand(): Command {
  return new Command('erase')
    .description('forgets a car: twin, history, episodes; its older records are not taken again')
    .argument('<car>', 'car id')
    .action((car: string) =>
      withDatabase(async (database) => {
        if (!isCarId(car)) throw new Error(`${car} is not a car id`);
        const { upTo } = await requestErasure(database, car, new Date());
        answer(`${car} will be erased up to ${upTo.toISOString()}`);
      }),
    );
}

/** `fleet-twin rollups rebuild`: has the ingest processes compute rollups anew, within seconds. */
export function rollupsCommand(): Command {
  const rollups = new Command('rollups').description('five-minute and hourly rollups of the history');
  rollups
    .command('rebuild')
    .description('has the rollups computed anew; those whose readings have expired stay as they are')
    .requiredOption('--from <instant>', 'ISO 8601; the first window is the one it lies in')
    .requiredOption('--to <instant>', 'ISO 8601, not included')
    .action(({ from, to }: { from: string; to: string }) => {
      const [first, end] = [instantOf(from, '--from'), instantOf(to, '--to')];
      if (first >= end) throw new Error('--from has to lie before --to');
      return withDatabase(async (database) => {
        const marked = await markWritten(database, first, end);
        answer(`${marked} windows will be computed anew`);
      });
    });
  return rollups;
}

function instantOf(text: string, option: string): number {
  const instant = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(instant)) throw new Error(`${option} ${text} is not an ISO 8601 instant`);
  return instant;
}
