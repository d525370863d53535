import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Database, openDatabase, prepareDatabase } from '../../src/twin/database.js';

const NAME = `prepare_${process.pid}`;
let databases: Database[];
beforeAll(() => {
  databases = Array.from({ length: 6 }, () => openDatabase(process.env['MONGODB_URI'] ?? '', NAME, 'test'));
});
afterAll(async () => {
  await databases[0]?.db.dropDatabase();
  await Promise.all(databases.map(({ client }) => client.close()));
});

it('a new database is prepared by many processes at once', async () => {
  for (let round = 0; round < 5; round += 1) {
    await databases[0]?.db.dropDatabase();
    await Promise.all(databases.map((database) => prepareDatabase(database, 90)));
    expect(await databases[0]?.collections.meta.countDocuments({ schemaVersion: 1 })).toBe(1);
  }
});

it('a database of another version is not', async () => {
  const [database] = databases as [Database, ...Database[]];
  await database.collections.meta.updateOne({ _id: 'store' }, { $set: { schemaVersion: 99 } });
  await expect(prepareDatabase(database, 90)).rejects.toThrow('schema version 99, this program writes version 1');
});
