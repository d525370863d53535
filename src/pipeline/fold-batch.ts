import type { SourceRecord } from '../kafka/record-batch.js';
import type { Reading } from '../telemetry/reading.js';
import type { Scored } from '../telemetry/score.js';
import { applyReading, applyRejected, type Arrived } from '../twin/apply-reading.js';
import type { BatchWrite } from '../twin/commit-batch.js';
import type { PositionCounts, PositionDocument, ReadingDocument, ShadowScore, Twin } from '../twin/documents.js';
import { foldEpisodeChanges, type PlacedChange } from '../twin/episode-writes.js';
import type { EpisodeRules } from '../twin/episodes.js';
import { readingId } from '../twin/ids.js';
import { attributesOf, UNKNOWN_CAR, type CarState } from '../twin/twin-reads.js';
import type { TwinWrite } from '../twin/write-twins.js';
import type { HashedArrival } from './classify-batch.js';
import { fingerprint } from './log-check.js';
import type { Shadowed } from './score-by-panel.js';

/** Where a record was turned away. */
export type RejectionStage = 'decode' | 'score' | 'store';

export interface Rejection {
  readonly kind: 'rejected';
  readonly stage: RejectionStage;
  readonly reason: string;
  readonly detail: string;
  /** The car of the record's key where there is a valid one. */
  readonly car: string | null;
}

interface ScoredArrival extends HashedArrival {
  readonly kind: 'reading';
  readonly scored: Scored | null;
  readonly shadows: readonly Shadowed[];
}

/** A record with what became of it: a reading with its arrival and score, or a rejection. */
export interface Judged {
  readonly record: SourceRecord;
  readonly outcome: Rejection | ScoredArrival;
}

export interface FoldContext {
  readonly topic: string;
  readonly partition: number;
  readonly before: PositionDocument;
  readonly cars: ReadonlyMap<string, CarState>;
  readonly rules: EpisodeRules;
  /** Of the models that scored the batch. */
  readonly modelRevision: number;
  readonly now: Date;
}

/** Folds a judged batch, in order, into all that is to be written for it. Pure. */
export function foldBatch(judged: readonly Judged[], context: FoldContext): BatchWrite {
  const { topic, partition, before, cars, rules, modelRevision, now } = context;
  const twins = new Map<string, Twin | null>();
  const changes: PlacedChange[] = [];
  const readings: ReadingDocument[] = [];
  const counted: Record<keyof PositionCounts, number> = { ...NONE };
  const twinOf = (car: string) => (twins.has(car) ? (twins.get(car) ?? null) : (cars.get(car)?.twin ?? null));
  for (const { record, outcome } of judged) {
    if (outcome.kind === 'rejected') {
      counted.rejected += 1;
      if (outcome.car !== null) twins.set(outcome.car, applyRejected(twinOf(outcome.car)));
      continue;
    }
    const { car } = outcome.reading;
    const arrived = arrivedOf(record, outcome, topic, partition);
    const applied = applyReading(twinOf(car), arrived, rules);
    twins.set(car, applied.twin);
    const fleet = attributesOf(cars.get(car))?.fleet;
    for (const change of applied.changes) changes.push({ car, change, offset: record.offset, fleet });
    count(counted, outcome.arrival);
    if (isStored(outcome))
      readings.push(rowOf(arrived, readingId(topic, before.incarnation, partition, record.offset)));
  }
  const { writes, events, eventSequence } = foldEpisodeChanges(changes, before._id, before.eventSequence, now);
  const last = judged.at(-1)?.record;
  return {
    before,
    next: last ? last.offset + 1 : before.next,
    last: last ? fingerprint(last) : before.last,
    eventSequence,
    counted: withoutZeros(counted),
    ...(readings.length > 0 ? { modelRevision } : {}),
    readings,
    twins: changedTwins(twins, cars),
    episodes: writes,
    events,
  };
}

const NONE: PositionCounts = { stored: 0, late: 0, duplicate: 0, expired: 0, erased: 0, rejected: 0, lost: 0 };

function count(counted: Record<keyof PositionCounts, number>, arrival: HashedArrival['arrival']): void {
  if (arrival === 'new' || arrival === 'late') counted.stored += 1;
  if (arrival !== 'new') counted[arrival] += 1;
}

function withoutZeros(counted: PositionCounts): Partial<PositionCounts> {
  return Object.fromEntries(Object.entries(counted).filter(([, count]) => count > 0));
}

function isStored({ arrival }: HashedArrival): boolean {
  return arrival === 'new' || arrival === 'late';
}

function arrivedOf(
  record: SourceRecord,
  { reading, hash, arrival, scored, shadows }: ScoredArrival,
  topic: string,
  partition: number,
): Arrived {
  const source = { topic, partition, offset: record.offset };
  return { reading, hash, arrival, scored, shadows, receivedAt: record.timestamp, source };
}

function rowOf({ reading, hash, arrival, scored, shadows = [], receivedAt }: Arrived, _id: string): ReadingDocument {
  return {
    _id,
    car: reading.car,
    at: new Date(reading.at),
    receivedAt: new Date(receivedAt),
    hash,
    signals: reading.signals,
    ...optionalFields(reading),
    ...(arrival === 'late' ? { late: true as const } : {}),
    ...scoreFields(scored),
    ...(shadows.length > 0 ? { shadows: shadows.flatMap(shadowFields) } : {}),
  };
}

function optionalFields({ label, skewedAt }: Reading): Pick<ReadingDocument, 'label' | 'skewedAt'> {
  return {
    ...(label === null ? {} : { label }),
    ...(skewedAt === null ? {} : { skewedAt: new Date(skewedAt) }),
  };
}

function scoreFields(scored: Scored | null): Pick<ReadingDocument, 'score' | 'unscored'> {
  if (scored?.kind !== 'scored') return { unscored: scored?.reason ?? 'no score' };
  return { score: scored.score };
}

/** A shadow that has no score says nothing. */
function shadowFields({ scored }: Shadowed): ShadowScore[] {
  if (scored.kind === 'unscored') return [];
  const { model, value, threshold, anomalous } = scored.score;
  return [{ model, value, threshold, anomalous }];
}

/** One write for each car that the batch changed, with the revision that the batch started from. */
function changedTwins(twins: ReadonlyMap<string, Twin | null>, cars: ReadonlyMap<string, CarState>): TwinWrite[] {
  const writes: TwinWrite[] = [];
  for (const [car, twin] of twins) {
    const state = cars.get(car) ?? UNKNOWN_CAR;
    const from = state.twin;
    if (!twin || twin === from) continue;
    const revision = (from?.revision ?? state.erasedRevision) + 1;
    if (from) writes.push({ from: from.revision, twin: { ...twin, revision } });
    else writes.push(firstTwin({ ...twin, revision }, state));
  }
  return writes;
}

/** The first twin of a car takes on what was said of the car before it was seen. */
function firstTwin(twin: Twin, { attributes }: CarState): TwinWrite {
  if (!attributes) return { from: null, twin, attributesVersion: null };
  const { values, version } = attributes;
  const said = Object.keys(values).length === 0 ? {} : { attributes: values };
  return { from: null, twin: { ...twin, ...said }, attributesVersion: version };
}
