import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { driftOf, type Drift } from '../score/drift.js';
import { trainedSignals, type SignalDistribution } from '../score/signal-distribution.js';
import type { Signals } from '../telemetry/signals.js';
import type { Database } from '../twin/database.js';
import { findModel, readModelFiles } from './model-store.js';
import { RegistryError } from './registry-error.js';
import { readSlots } from './slots.js';

/** Pieces that a range is cut into, and readings that are looked at in each: the cost does not grow with the fleet. */
const PIECES = 40;
const ROWS = 500;
/** ms */
const READ_LIMIT = 30_000;

export interface FleetDrift {
  /** Whose training the readings are held against. */
  readonly model: string;
  readonly from: Date;
  readonly to: Date;
  /** All readings that were looked at, then by firmware. */
  readonly groups: readonly Drift[];
}

export interface DriftQuestion {
  readonly from: Date;
  readonly to: Date;
  /** name@version; the model in use when not given. */
  readonly model?: string | undefined;
  /** Folder of the settings' model, which is in use where no other was activated. */
  readonly fallbackDir: string;
}

/**
 * How far the fleet's readings of a time are from those that a model was trained on.
 * @throws RegistryError UNKNOWN_MODEL; MODEL_REFUSED where the model does not say what it was trained on
 */
export async function driftOfFleet(database: Database, question: DriftQuestion): Promise<FleetDrift> {
  const { from, to } = question;
  const { model, trained } = await trainedOf(database, question);
  return { model, from, to, groups: driftOf(await sampleOf(database, from, to), trained) };
}

/** Up to 20,000 readings, evenly over the time: so many from the beginning of each of its pieces. */
async function sampleOf({ collections }: Database, from: Date, to: Date): Promise<Signals[]> {
  const sample: Signals[] = [];
  const edge = (piece: number) => new Date(from.getTime() + ((to.getTime() - from.getTime()) * piece) / PIECES);
  for (let piece = 0; piece < PIECES; piece += 1) {
    const rows = collections.readings
      .find({ at: { $gte: edge(piece), $lt: edge(piece + 1) } }, { projection: { signals: 1 }, maxTimeMS: READ_LIMIT })
      .sort({ at: 1 })
      .limit(ROWS);
    for await (const { signals } of rows) sample.push(signals);
  }
  return sample;
}

async function trainedOf(
  database: Database,
  { model, fallbackDir }: DriftQuestion,
): Promise<{ model: string; trained: readonly SignalDistribution[] }> {
  const id = model ?? (await readSlots(database)).champion;
  const bytes =
    id === null
      ? readFileSync(join(fallbackDir, 'metadata.json'))
      : (await readModelFiles(database, await findModel(database, id))).find(({ path }) => path === 'metadata.json')
          ?.bytes;
  const { name, version, signals } = trainedSignals(bytes?.toString('utf8') ?? '{}');
  if (!signals)
    throw new RegistryError(
      'MODEL_REFUSED',
      `${name}@${version} does not say how the signals were spread in its training`,
    );
  return { model: `${name}@${version}`, trained: signals };
}
