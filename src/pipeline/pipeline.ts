import type { ClientSession } from 'mongodb';
import type { DeadLetter } from '../kafka/dead-letters.js';
import type { SourceRecord } from '../kafka/record-batch.js';
import type { Panel, Scorers } from '../telemetry/score.js';
import { PendingCommit, type BatchWrite, type CommitOutcome } from '../twin/commit-batch.js';
import type { Database } from '../twin/database.js';
import type { PositionDocument } from '../twin/documents.js';
import type { EpisodeRules } from '../twin/episodes.js';
import { findKnown } from '../twin/twin-reads.js';
import type { CarCache } from './car-cache.js';
import { classifyBatch, wantedOf } from './classify-batch.js';
import { carsOf, readingsOf, withArrivals, type DecodedRecord } from './decoded-record.js';
import { foldBatch, type Rejection } from './fold-batch.js';
import type { Observer } from './observer.js';
import { scoreByPanel } from './score-by-panel.js';

/** The stages that a batch goes through, each a plain function or a port. */
export interface Stages {
  readonly decode: (records: readonly SourceRecord[]) => Promise<readonly DecodedRecord[]>;
  readonly scorers: Scorers;
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
  readonly session: ClientSession;
  /** Offsets whose dead letters are acknowledged: an earlier try of the batch came that far. */
  readonly putAside: Set<number>;
  readonly signal: AbortSignal;
  /** Does a piece of work, waiting while a service that it needs is away. */
  readonly patiently: <T>(work: () => Promise<T>) => Promise<T>;
}

/**
 * The way of a batch: decode, load what is known of its cars, classify, score, fold, put the bad records aside, and make
 * the rest part of the state in one transaction. Publishing and Kafka's offset follow once the commit is known.
 *
 * What was folded is what is committed, however often that has to be tried: folding again would meet the batch's own rows.
 * @param buried records that are to be turned away whatever they hold, because they cannot be stored
 */
export async function applyBatch(
  records: readonly SourceRecord[],
  hand: BatchInHand,
  stages: Stages,
  buried?: Rejection,
): Promise<{ outcome: CommitOutcome; write: BatchWrite }> {
  const { observer, database } = stages;
  const fold = (panel: Panel) => foldRecords(records, hand, stages, panel, buried);
  const { write, letters } = await hand.patiently(() => stages.scorers.use(hand.before.modelRevision ?? 0, fold));
  if (letters.length > 0)
    await hand.patiently(() => observer.timed('dead-letter', () => putAside(letters, hand, stages)));
  const commit = new PendingCommit(database, write, hand.session);
  const outcome = await hand.patiently(() => observer.timed('commit', () => commit.attempt()));
  if (outcome.kind === 'committed') {
    hand.cars.put(write.twins.map(({ twin }) => twin));
    observer.applied(write, letters);
  }
  return { outcome, write };
}

async function foldRecords(
  records: readonly SourceRecord[],
  { topic, partition, before, cars: cache }: BatchInHand,
  { observer, database, decode, clock, retention, rules }: Stages,
  panel: Panel,
  buried?: Rejection,
): Promise<{ write: BatchWrite; letters: DeadLetter[] }> {
  const decoded = buried
    ? records.map((record) => ({ record, decoded: buried }))
    : await observer.timed('decode', () => decode(records));
  const cars = await observer.timed('load', () => cache.get(carsOf(decoded)));
  const readings = readingsOf(decoded);
  const known = await observer.timed('lookup', () => findKnown(database, wantedOf(readings, cars)));
  const arrivals = classifyBatch(readings, cars, known, retention === null ? null : clock() - retention);
  const twinOf = (car: string) => cars.get(car)?.twin ?? null;
  const scores = await observer.timed('score', () => scoreByPanel(arrivals, twinOf, panel));
  const judged = withArrivals(decoded, arrivals, scores);
  const modelRevision = panel.revision;
  const write = foldBatch(judged, { topic, partition, before, cars, rules, modelRevision, now: new Date(clock()) });
  return { write, letters: lettersOf(judged, topic, partition) };
}

async function putAside(letters: readonly DeadLetter[], hand: BatchInHand, { deadLetters }: Stages): Promise<void> {
  const fresh = letters.filter(({ original }) => !hand.putAside.has(original.offset ?? -1));
  await deadLetters.send(fresh, hand.signal);
  for (const { original } of fresh) if (original.offset !== null) hand.putAside.add(original.offset);
}

function lettersOf(judged: ReturnType<typeof withArrivals>, topic: string, partition: number): DeadLetter[] {
  return judged.flatMap(({ record, outcome }) => {
    if (outcome.kind !== 'rejected') return [];
    const { reason, detail, stage } = outcome;
    return [{ original: { topic, partition, ...record }, reason, detail, stage }];
  });
}
