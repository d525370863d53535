import type { Database } from '../../src/twin/database.js';
import type { EpisodeEventDocument, PositionDocument } from '../../src/twin/documents.js';
import { someEvent } from './episode.js';

/** Writes events as the ingest does: with the position's sequence, in one transaction. */
export class EventWriter {
  private readonly sequences = new Map<number, number>();

  constructor(private readonly database: Database) {}

  /** The next `count` events of a partition, committed together. Returns their ids. */
  async write(partition: number, count: number, overrides: Partial<EpisodeEventDocument> = {}): Promise<string[]> {
    const first = (this.sequences.get(partition) ?? 0) + 1;
    const events = Array.from({ length: count }, (_, n) => someEvent(partition, first + n, overrides));
    this.sequences.set(partition, first + count - 1);
    await this.commit(events);
    return events.map(({ _id }) => _id);
  }

  private async commit(events: readonly EpisodeEventDocument[]): Promise<void> {
    const { client, collections } = this.database;
    const last = events.at(-1);
    if (!last) return;
    await client.withSession((session) =>
      session.withTransaction(async () => {
        const moved = { $set: { eventSequence: last.sequence } } as { $set: Partial<PositionDocument> };
        await collections.positions.updateOne({ _id: last.partition }, moved, { upsert: true, session });
        await collections.events.insertMany([...events], { session });
      }),
    );
  }
}
