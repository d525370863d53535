import { Command } from 'commander';
import { isCarId } from '../telemetry/car-id.js';
import { readSettings, type Settings } from '../settings/settings.js';
import { openDatabase, prepareDatabase, type Database } from '../twin/database.js';
import { answer } from './terminal.js';

/** `fleet-twin db init`: what every start does by itself, as a step of its own. */
export function databaseCommand(): Command {
  const db = new Command('db').description('the database of the service');
  db.command('init')
    .description('creates collections and indexes, sets the retention, writes or checks the schema version')
    .action(() =>
      withDatabase(async (database, settings) => {
        await prepareDatabase(database, settings.HISTORY_RETENTION);
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
      withDatabase(async ({ collections }) => {
        if (!isCarId(car)) throw new Error(`${car} is not a car id`);
        const now = new Date();
        const request = { upTo: now, requestedAt: now, doneAt: null };
        await collections.erasures.updateOne({ _id: car }, { $set: request }, { upsert: true });
        answer(`${car} will be erased up to ${now.toISOString()}`);
      }),
    );
}

async function withDatabase(work: (database: Database, settings: Settings) => Promise<void>): Promise<void> {
  const settings = readSettings(process.env);
  const database = openDatabase(settings.MONGODB_URI, settings.MONGODB_DATABASE, 'fleet-twin-cli');
  try {
    await work(database, settings);
  } finally {
    await database.client.close();
  }
}
