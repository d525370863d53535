import { setImmediate } from 'node:timers/promises';
import { decodeArray, type ArrayFormat, type DecodedArray } from '../decode/array-payload.js';
import { sleep } from '../kafka/client.js';
import type { DeadLetter } from '../kafka/dead-letters.js';
import type { BatchOutcome, RecordBatch, SourceRecord } from '../kafka/record-batch.js';
import type { Log } from '../log/log.js';
import type { ArrayOutcome } from '../metrics/metrics.js';
import type { ArrayScored, ArrayScorer } from '../telemetry/array-reading.js';
import type { ArrayReadingDocument } from '../twin/array-documents.js';
import type { Database } from '../twin/database.js';
import { arrayReadingId } from '../twin/ids.js';
import { storeArrays } from '../twin/store-arrays.js';
import { arrayPredictionRecord } from './array-prediction.js';
import type { Observer } from './observer.js';
import type { Stages } from './pipeline.js';
import type { Outlet } from './publish.js';
import type { ScoringAlarm } from './scoring-alarm.js';
import { Turns } from './turns.js';
import { messageOf, patiently } from './workshop.js';

/** What an array topic is worked on with. */
export interface ArrayStages {
  readonly scorer: ArrayScorer;
  /** bytes */
  readonly maxBody: number;
  readonly database: Database;
  readonly deadLetters: Stages['deadLetters'];
  readonly outlet: Outlet;
  readonly predictionsTopic: string;
  /** ms; null keeps arrays for ever */
  readonly retention: number | null;
  readonly clock: () => number;
  readonly observer: Observer;
  readonly counted: (topic: string, outcome: ArrayOutcome, records: number) => void;
  readonly rejected: (topic: string, reason: string) => void;
  readonly alarm: Pick<ScoringAlarm, 'seen'>;
  readonly log: Log;
}

/** Records that are written or published at a stretch: a millisecond or two of the event loop. */
const CHUNK = 32;
/** ms */
const PAUSE = 2_000;

/**
 * An array topic: decode, put the bad records aside, score, store, publish, and only then let Kafka's offset move. Every
 * effect has an id that is made of the record's position, so that a batch that comes again, after a kill at any instant or
 * from another process, changes nothing.
 */
export class ArrayIngest {
  constructor(private readonly stages: ArrayStages) {}

  /** What has come of one partition; never throws for what a record, MongoDB or Kafka does. */
  async handle(batch: RecordBatch): Promise<BatchOutcome> {
    const { observer, log } = this.stages;
    try {
      return await observer.timed('batch', () => this.#apply(batch));
    } catch (error) {
      if (batch.signal.aborted) return { kind: 'abandoned' };
      const { topic, partition } = batch;
      log('error', 'a batch was given up and will be read again', { topic, partition, error: messageOf(error) });
      await sleep(PAUSE, batch.signal).catch(() => undefined);
      return batch.signal.aborted ? { kind: 'abandoned' } : { kind: 'seek', offset: batch.records[0]?.offset ?? 0 };
    }
  }

  async #apply(batch: RecordBatch): Promise<BatchOutcome> {
    const { topic, partition, records, highWatermark, signal } = batch;
    let next = records[0]?.offset ?? 0;
    for (let start = 0; start < records.length; start += CHUNK) {
      this.stages.observer.lag(topic, partition, Math.max(0, highWatermark - next));
      // What is done so far is kept: Kafka's offset may move there.
      if (signal.aborted) break;
      const chunk = records.slice(start, start + CHUNK);
      await this.#applyRecords(chunk, batch);
      next = (chunk.at(-1)?.offset ?? next) + 1;
      await setImmediate();
    }
    this.stages.observer.lag(topic, partition, Math.max(0, highWatermark - next));
    return { kind: 'applied', next };
  }

  async #applyRecords(records: readonly SourceRecord[], { topic, partition, signal }: RecordBatch): Promise<void> {
    const { scorer, database, deadLetters, outlet, predictionsTopic, observer, maxBody, counted } = this.stages;
    const wait = <T>(work: () => Promise<T>) => patiently(work, this.stages, signal);
    const decoded = await observer.timed('decode', () => decodeAll(records, { width: scorer.width, maxBody }));
    await setImmediate();
    const { documents, expired } = await observer.timed('score', () => this.#documents(decoded, topic, partition));
    const { rows, duplicate, refused } = await observer.timed('commit', () =>
      wait(() => storeArrays(database, documents)),
    );
    const letters = [...lettersOf(decoded, topic, partition), ...refusedLetters(refused, records, topic, partition)];
    if (letters.length > 0) await observer.timed('dead-letter', () => wait(() => deadLetters.send(letters, signal)));
    await setImmediate();
    const predictions = rows.map((row) => arrayPredictionRecord(predictionsTopic, row));
    await observer.timed('publish', () => wait(() => outlet.send(predictions, signal)));
    const fresh = rows.length - duplicate;
    const outcomes: Record<ArrayOutcome, number> = {
      received: records.length,
      stored: Math.max(0, fresh),
      duplicate,
      expired,
      unscored: rows.filter(({ score }) => score === null).length,
      anomalous: rows.filter(({ score }) => score?.anomalous === true).length,
      rejected: letters.length,
    };
    for (const [outcome, count] of Object.entries(outcomes)) counted(topic, outcome as ArrayOutcome, count);
    for (const { reason } of letters) this.stages.rejected(topic, reason);
    this.stages.alarm.seen(rows);
  }

  async #documents(decoded: readonly Decoded[], topic: string, partition: number) {
    const { scorer, retention, clock } = this.stages;
    const oldest = retention === null ? -Infinity : clock() - retention;
    const all = decoded.flatMap(({ record, of }) => (of.kind === 'array' ? [{ record, reading: of.reading }] : []));
    const good = all.filter(({ reading }) => reading.at >= oldest);
    const scored = await scorer.score(good.map(({ reading }) => reading.values));
    const documents = good.map(({ record, reading }, place): ArrayReadingDocument => {
      const _id = arrayReadingId(topic, partition, record.offset, reading.at);
      const { id: sender, values } = reading;
      return { _id, topic, sender, at: new Date(reading.at), values: [...values], ...saidOf(scored[place]) };
    });
    return { documents, expired: all.length - good.length };
  }
}

interface Decoded {
  readonly record: SourceRecord;
  readonly of: DecodedArray;
}

async function decodeAll(records: readonly SourceRecord[], format: ArrayFormat): Promise<Decoded[]> {
  const turns = new Turns();
  const decoded: Decoded[] = [];
  for (const record of records) {
    decoded.push({ record, of: decodeArray(record.value, record.timestamp, format) });
    await turns.after(1);
  }
  return decoded;
}

function saidOf(scored: ArrayScored | undefined): Pick<ArrayReadingDocument, 'score' | 'unscored'> {
  if (scored?.kind === 'scored') return { score: scored.score };
  return { score: null, unscored: scored?.reason ?? 'the model gave no answer' };
}

function lettersOf(decoded: readonly Decoded[], topic: string, partition: number): DeadLetter[] {
  return decoded.flatMap(({ record, of }) => {
    if (of.kind === 'array') return [];
    const { reason, detail, stage } = of;
    return [{ original: { topic, partition, ...record }, reason, detail, stage }];
  });
}

function refusedLetters(
  refused: readonly { readonly _id: string; readonly code: string; readonly detail: string }[],
  records: readonly SourceRecord[],
  topic: string,
  partition: number,
): DeadLetter[] {
  const byId = new Map(
    records.map((record) => [arrayReadingId(topic, partition, record.offset, record.timestamp), record]),
  );
  return refused.flatMap(({ _id, code, detail }) => {
    const record = byId.get(_id);
    return record ? [{ original: { topic, partition, ...record }, reason: code, detail, stage: 'store' as const }] : [];
  });
}
