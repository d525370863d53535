import type { Collection, Db, IndexDescription } from 'mongodb';
import type { Step } from '../telemetry/window.js';
import type { AuditDocument } from './audit-documents.js';
import type { ArrayReadingDocument } from './array-documents.js';
import type { CarDocument } from './car-documents.js';
import type { CommandDocument } from './command-documents.js';
import type { EpisodeDocument, EpisodeEventDocument, PositionDocument, ReadingDocument, Twin } from './documents.js';
import type { ErasureDocument, TombstoneDocument } from './erasure-documents.js';
import type { HandlingDocument } from './handling-documents.js';
import type { ModelDocument, ModelSlots } from './model-documents.js';
import type { RollupDocument, RollupMarkDocument, RollupRunDocument } from './rollup-documents.js';

export interface MetaDocument {
  readonly _id: 'store';
  /** Made once, when the database is first prepared: cursors of another store are recognised by it. */
  readonly storeId: string;
  readonly schemaVersion: number;
  /** Unit by signal name. */
  readonly units: Readonly<Record<string, string>>;
}

export interface Collections {
  readonly twins: Collection<Twin>;
  readonly cars: Collection<CarDocument>;
  readonly commands: Collection<CommandDocument>;
  readonly readings: Collection<ReadingDocument>;
  readonly positions: Collection<PositionDocument>;
  readonly anomalies: Collection<EpisodeDocument>;
  readonly events: Collection<EpisodeEventDocument>;
  readonly handlings: Collection<HandlingDocument>;
  readonly tombstones: Collection<TombstoneDocument>;
  readonly erasures: Collection<ErasureDocument>;
  readonly rollupsFiveMinutes: Collection<RollupDocument>;
  readonly rollupsHour: Collection<RollupDocument>;
  readonly rollupMarks: Collection<RollupMarkDocument>;
  readonly rollupRuns: Collection<RollupRunDocument>;
  readonly arrayReadings: Collection<ArrayReadingDocument>;
  readonly audit: Collection<AuditDocument>;
  readonly models: Collection<ModelDocument>;
  readonly modelSlots: Collection<ModelSlots>;
  readonly meta: Collection<MetaDocument>;
}

export function collectionsOf(db: Db): Collections {
  return {
    twins: db.collection('twins'),
    cars: db.collection('cars'),
    commands: db.collection('commands'),
    readings: db.collection('readings'),
    positions: db.collection('positions'),
    anomalies: db.collection('anomalies'),
    events: db.collection('events'),
    handlings: db.collection('handlings'),
    tombstones: db.collection('tombstones'),
    erasures: db.collection('erasures'),
    rollupsFiveMinutes: db.collection('rollupsFiveMinutes'),
    rollupsHour: db.collection('rollupsHour'),
    rollupMarks: db.collection('rollupMarks'),
    rollupRuns: db.collection('rollupRuns'),
    arrayReadings: db.collection('arrayReadings'),
    audit: db.collection('audit'),
    models: db.collection('models'),
    modelSlots: db.collection('modelSlots'),
    meta: db.collection('meta'),
  };
}

export function rollupsOf({ rollupsFiveMinutes, rollupsHour }: Collections, step: Step): Collection<RollupDocument> {
  return step === 'HOUR' ? rollupsHour : rollupsFiveMinutes;
}

/**
 * Every index of the database, those by which documents expire apart. None lies on a field of `twins` that changes with every message:
 * such an index costs as much as the message. The filter field of a partial index is its first key.
 */
export const INDEXES: Readonly<Record<Exclude<keyof Collections, 'meta'>, readonly IndexDescription[]>> = {
  twins: [
    {
      name: 'attention',
      key: { status: 1, _id: 1 },
      partialFilterExpression: { status: { $in: ['SUSPECT', 'ANOMALOUS'] } },
    },
    // Changes when people say so, not with messages. Not partial: not every server takes such an index for a list of fleets.
    { name: 'fleet', key: { 'attributes.fleet': 1, _id: 1 } },
  ],
  cars: [],
  commands: [
    { name: 'car_at', key: { car: 1, at: 1, _id: 1 } },
    { name: 'due', key: { nextAt: 1, at: 1 }, partialFilterExpression: { nextAt: { $exists: true } } },
    {
      name: 'open',
      key: { status: 1, expiresAt: 1 },
      partialFilterExpression: { status: { $in: ['QUEUED', 'SENT'] } },
    },
  ],
  readings: [
    { name: 'car_at', key: { car: 1, at: 1, _id: 1 } },
    // Few are: counting them is not to read all others.
    { name: 'late', key: { late: 1, car: 1, at: 1 }, partialFilterExpression: { late: true } },
    { name: 'skewed', key: { skewedAt: 1, car: 1 }, partialFilterExpression: { skewedAt: { $exists: true } } },
  ],
  positions: [],
  anomalies: [
    { name: 'car_opened', key: { car: 1, openedAt: 1, _id: 1 } },
    { name: 'opened', key: { openedAt: 1, _id: 1 } },
    { name: 'status_severity', key: { status: 1, severity: 1, openedAt: 1, _id: 1 } },
    { name: 'fleet_opened', key: { fleet: 1, openedAt: 1, _id: 1 } },
  ],
  events: [],
  // Only what waits to be told is in it.
  handlings: [],
  tombstones: [],
  erasures: [],
  // Cars in windows are read by their ids; only an erase looks for all of a car.
  rollupsFiveMinutes: [{ name: 'car_at', key: { car: 1, at: 1 } }],
  rollupsHour: [{ name: 'car_at', key: { car: 1, at: 1 } }],
  rollupMarks: [],
  rollupRuns: [],
  arrayReadings: [
    { name: 'topic_at', key: { topic: 1, at: 1, _id: 1 } },
    { name: 'topic_sender_at', key: { topic: 1, sender: 1, at: 1, _id: 1 } },
  ],
  audit: [],
  models: [],
  modelSlots: [],
};
