import type { DeadLetter } from '../kafka/dead-letters.js';
import type { SourceRecord } from '../kafka/record-batch.js';
import type { Scorer } from '../telemetry/score.js';
import { commitBatch, type BatchWrite, type CommitOutcome } from '../twin/commit-batch.js';
import type { Database } from '../twin/database.js';
import type { PositionDocument } from '../twin/documents.js';
import type { EpisodeRules } from '../twin/episodes.js';
import { findKnown } from '../twin/twin-reads.js';
import type { CarCache } from './car-cache.js';
import { classifyBatch, wantedOf } from './classify-batch.js';
import { carsOf, readingsOf, withArrivals, type DecodedRecord } from './decoded-record.js';
import { foldBatch, type Rejection } from './fold-batch.js';
import type { Observer } from './observer.js';
import { scoreInRounds } from './score-in-rounds.js';

/** The stages that a batch goes through, each a plain function or a port. */
export interface Stages {
  readonly decode: (records: readonly SourceRecord[]) => Promise<readonly DecodedRecord[]>;
  readonly scorer: Scorer;
  readonly database: Database;
  readonly deadLetters: { send(letters: readonly DeadLetter[], signal?: AbortSignal): Promise<void> };
  readonly rules: EpisodeRules;
  /** ms; null keeps readings for ever. */
  readonly retention: number | null;
  readonly clock: () => number;
  readonly observer: Observer;
}

export interface BatchInHand {
  readonly topic: string;
  readonly partition: number;
  readonly before: PositionDocument;
  readonly cars: CarCache;
  readonly signal: AbortSignal;
}

/**
 * The way of a batch: decode, load what is known of its cars, classify, score, fold, put the bad records aside, and make
 * the rest part of the state in one transaction. Publishing and Kafka's offset follow once the commit is known.
 * @param buried records that are to be turned away whatever they hold, because they cannot be stored
 */
export async function applyBatch(
  records: readonly SourceRecord[],
  hand: BatchInHand,
  stages: Stages,
  buried?: Rejection,
): Promise<{ outcome: CommitOutcome; write: BatchWrite }> {
  const { observer, database, scorer, clock, retention, rules } = stages;
  const { topic, partition, before, cars: cache, signal } = hand;

  const decoded = buried
    ? records.map((record) => ({ record, decoded: buried }))
    : await observer.timed('decode', () => stages.decode(records));
  const cars = await observer.timed('load', () => cache.get(carsOf(decoded)));
  const readings = readingsOf(decoded);
  const known = await observer.timed('lookup', () => findKnown(database, wantedOf(readings, cars)));
  const arrivals = classifyBatch(readings, cars, known, retention === null ? null : clock() - retention);
  const memoryOf = (car: string) => cars.get(car)?.twin?.memory ?? null;
  const scores = await observer.timed('score', () => scoreInRounds(arrivals, memoryOf, scorer));
  const judged = withArrivals(decoded, arrivals, scores);
  const write = foldBatch(judged, { topic, partition, before, cars, rules, now: new Date(clock()) });
  const letters = lettersOf(judged, topic, partition);
  if (letters.length > 0) await observer.timed('dead-letter', () => stages.deadLetters.send(letters, signal));
  const outcome = await observer.timed('commit', () => commitBatch(database, write));
  if (outcome.kind === 'committed') {
    cache.put(write.twins.map(({ twin }) => twin));
    observer.applied(write, letters);
  }
  return { outcome, write };
}

function lettersOf(judged: ReturnType<typeof withArrivals>, topic: string, partition: number): DeadLetter[] {
  return judged.flatMap(({ record, outcome }) => {
    if (outcome.kind !== 'rejected') return [];
    const { reason, detail, stage } = outcome;
    return [{ original: { topic, partition, ...record }, reason, detail, stage }];
  });
}
