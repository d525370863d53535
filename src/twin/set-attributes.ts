import type { ClientSession } from 'mongodb';
import { ATTRIBUTES_CAP, type AttributesVersion, type CarAttributes } from './car-documents.js';
import { inChange, type MayChange } from './change-transaction.js';
import type { Database } from './database.js';

export interface AttributesChange {
  readonly car: string;
  /** All of them: what is not among them is gone. */
  readonly values: CarAttributes;
  /** The version that is to be replaced, 0 for none yet; null for whatever is there. */
  readonly ifVersion: number | null;
  readonly at: Date;
  readonly by: string;
  /** Not given: it may. */
  readonly mayChange?: MayChange;
}

export type AttributesSet =
  | { readonly kind: 'set'; readonly attributes: AttributesVersion }
  /** `version` is there; 0 for none. */
  | { readonly kind: 'conflict'; readonly version: number }
  /** `mayChange` said no. */
  | { readonly kind: 'refused' };

/**
 * Sets the attributes of a car, seen or not, with the twin's copy and the fleet of its episodes, in one transaction. The
 * twin's revision moves on, so that ingest, which may be about to write the car, reads it again.
 */
export async function setAttributes(database: Database, change: AttributesChange): Promise<AttributesSet> {
  return inChange(database, (session) => set(database, change, session));
}

async function set(
  { collections }: Database,
  { car, values, ifVersion, at, by, mayChange }: AttributesChange,
  session: ClientSession,
): Promise<AttributesSet> {
  const before = (await collections.cars.findOne({ _id: car }, { session }))?.attributes;
  if (mayChange && !mayChange(before?.values.fleet)) return { kind: 'refused' };
  const version = before?.version ?? 0;
  if (ifVersion !== null && ifVersion !== version) return { kind: 'conflict', version };
  const attributes = { values, version: version + 1, at, by };
  const former = before ? { $push: { formerAttributes: { $each: [before], $slice: -ATTRIBUTES_CAP } } } : {};
  await collections.cars.updateOne({ _id: car }, { $set: { attributes }, ...former }, { upsert: true, session });
  const none = Object.keys(values).length === 0;
  const copy = none ? { $unset: { attributes: true as const } } : { $set: { attributes: values } };
  await collections.twins.updateOne({ _id: car }, { ...copy, $inc: { revision: 1 } }, { session });
  const { fleet } = values;
  if (fleet !== before?.values.fleet) {
    const moved = fleet === undefined ? { $unset: { fleet: true as const } } : { $set: { fleet } };
    await collections.anomalies.updateMany({ car }, moved, { session });
  }
  return { kind: 'set', attributes };
}
