import type { OutRecord } from '../kafka/out-record.js';
import type { Database } from '../twin/database.js';
import type { EpisodeEventDocument, PositionDocument, ReadingDocument } from '../twin/documents.js';
import { positionOfReading } from '../twin/ids.js';
import { markPublished } from '../twin/positions.js';
import { unpublishedEvents, unpublishedReadings } from '../twin/twin-reads.js';
import { normaliseNothing, type Normalise } from './normalise.js';

/** Where predictions and events go. Resolves when Kafka has acknowledged all of them. */
export interface Outlet {
  send(records: readonly OutRecord[], signal?: AbortSignal): Promise<void>;
}

export interface OutTopics {
  readonly predictions: string;
  readonly anomalies: string;
}

/**
 * Publishes what a committed batch says, then notes how far publishing has come. A crash in between publishes again:
 * at least once, with the same ids.
 */
export class Publisher {
  constructor(
    private readonly outlet: Outlet,
    private readonly topics: OutTopics,
    private readonly database: Database,
    private readonly normalise: Normalise = normaliseNothing,
  ) {}

  async publish(
    position: PositionDocument,
    readings: readonly ReadingDocument[],
    events: readonly EpisodeEventDocument[],
    signal: AbortSignal,
  ): Promise<PositionDocument> {
    const { next, eventSequence } = position;
    if (position.published === next && position.eventsPublished === eventSequence) return position;
    await this.outlet.send(
      [...(await this.#recordsOf(readings)), ...events.map((event) => eventRecord(this.topics.anomalies, event))],
      signal,
    );
    await markPublished(this.database, position, next, eventSequence);
    return { ...position, published: next, eventsPublished: eventSequence };
  }

  /** What lies between `published` and `next` is published from MongoDB: a former owner may not have come to it. */
  async publishBacklog(position: PositionDocument, topic: string, partition: number, signal: AbortSignal) {
    for await (const rows of inGroups(unpublishedReadings(this.database, topic, partition, position)))
      await this.outlet.send(await this.#recordsOf(rows), signal);
    for await (const events of inGroups(unpublishedEvents(this.database, position)))
      await this.outlet.send(
        events.map((event) => eventRecord(this.topics.anomalies, event)),
        signal,
      );
    return this.publish(position, [], [], signal);
  }

  async #recordsOf(rows: readonly ReadingDocument[]): Promise<OutRecord[]> {
    return [...rows.map((row) => predictionRecord(this.topics.predictions, row)), ...(await this.normalise(rows))];
  }
}

/** A prediction says what its row in the history says, so that it can be made again from there. */
export function predictionRecord(topic: string, row: ReadingDocument): OutRecord {
  const value = {
    id: row._id,
    car: row.car,
    at: row.at.toISOString(),
    score: row.score?.value ?? null,
    threshold: row.score?.threshold ?? null,
    anomalous: row.score?.anomalous ?? null,
    worseThan: row.score?.worseThan ?? null,
    model: row.score?.model ?? null,
    topSignals: row.score?.topSignals ?? [],
    ...(row.unscored === undefined ? {} : { unscored: row.unscored }),
    ...(row.late ? { late: true } : {}),
    position: positionOfReading(row._id),
  };
  return { topic, key: row.car, value: Buffer.from(JSON.stringify(value)), headers: { id: row._id } };
}

export function eventRecord(topic: string, event: EpisodeEventDocument): OutRecord {
  const { _id: id, recordedAt: _recordedAt, ...said } = event;
  return { topic, key: event.car, value: Buffer.from(JSON.stringify({ id, ...said })), headers: { id } };
}

const GROUP = 1_000;

async function* inGroups<T>(items: AsyncIterable<T>): AsyncGenerator<T[]> {
  let group: T[] = [];
  for await (const item of items) {
    group.push(item);
    if (group.length < GROUP) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
