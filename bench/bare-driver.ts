import type { AnyBulkWriteOperation } from 'mongodb';
import type { Database } from '../src/twin/database.js';
import type { ReadingDocument, Twin } from '../src/twin/documents.js';
import { positionOfReading } from '../src/twin/ids.js';

/** What one transaction of the service wrote: the history rows, and one twin for each car among them. */
export interface Batch {
  readonly partition: number;
  readonly readings: readonly ReadingDocument[];
  readonly twins: readonly Twin[];
}

/** The documents that the service left, cut into the batches that it can at best have written them in. */
export async function takeBatches({ collections }: Database, size: number): Promise<Batch[]> {
  const twins = new Map((await collections.twins.find().toArray()).map((twin) => [twin._id, twin]));
  const batches: Batch[] = [];
  let readings: ReadingDocument[] = [];
  let partition = -1;
  const close = () => {
    const cars = new Set(readings.map(({ car }) => car));
    if (readings.length > 0)
      batches.push({ partition, readings, twins: [...cars].flatMap((car) => twins.get(car) ?? []) });
    readings = [];
  };
  for await (const row of collections.readings.find().sort({ _id: 1 })) {
    const here = positionOfReading(row._id).partition;
    if (here !== partition || readings.length >= size) close();
    partition = here;
    readings.push(row);
  }
  close();
  return batches;
}

/** Writes the batches with nothing but the driver: one transaction each, four at a time, as the service does. Rows a second. */
export async function replayBare(database: Database, batches: readonly Batch[]): Promise<number> {
  const { positions, twins } = database.collections;
  for (const partition of new Set(batches.map((batch) => batch.partition)))
    await positions.insertOne({ _id: `bare/${partition}`, next: 0, epoch: 1 } as never);
  // The cars' first twins are inserted, as they were by the service.
  const known = new Set<string>();
  const partitions = [...new Set(batches.map(({ partition }) => partition))];
  const queues = partitions.map((one) => batches.filter(({ partition }) => partition === one));
  const started = performance.now();
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      for (let queue = queues.shift(); queue; queue = queues.shift())
        for (const batch of queue) await write(database, batch, known);
    }),
  );
  const rows = batches.reduce((sum, { readings }) => sum + readings.length, 0);
  const seconds = (performance.now() - started) / 1_000;
  if ((await twins.countDocuments()) !== known.size) throw new Error('the bare driver did not write every twin');
  return rows / seconds;
}

async function write(
  { client, collections }: Database,
  { partition, readings, twins }: Batch,
  known: Set<string>,
): Promise<void> {
  const session = client.startSession();
  try {
    session.startTransaction({ writeConcern: { w: 'majority', journal: true } });
    await collections.positions.updateOne(
      { _id: `bare/${partition}` },
      { $inc: { next: readings.length } },
      { session },
    );
    await collections.readings.insertMany([...readings], { session });
    await collections.twins.bulkWrite(
      twins.map((twin) => operation(twin, known)),
      { session },
    );
    await session.commitTransaction();
  } finally {
    await session.endSession();
  }
}

function operation(twin: Twin, known: Set<string>): AnyBulkWriteOperation<Twin> {
  if (!known.has(twin._id)) {
    known.add(twin._id);
    return { insertOne: { document: twin } };
  }
  const { _id, ...replacement } = twin;
  return { replaceOne: { filter: { _id, revision: twin.revision }, replacement } };
}
