import { readSettings, type Settings } from '../settings/settings.js';
import { openDatabase, type Database } from '../twin/database.js';

/** Has the database of the settings open while the work is done. */
export async function withDatabase(work: (database: Database, settings: Settings) => Promise<void>): Promise<void> {
  const settings = readSettings(process.env);
  const database = openDatabase(settings.MONGODB_URI, settings.MONGODB_DATABASE, 'fleet-twin-cli');
  try {
    await work(database, settings);
  } finally {
    await database.client.close();
  }
}
