import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { evaluateOnReadings } from '../evaluation/evaluate.js';
import { OneClassError } from '../evaluation/figures.js';
import type { Report } from '../evaluation/report.js';
import { rulesOf } from '../settings/episode-rules.js';
import { change, register, type CheckFolder } from '../registry/lifecycle.js';
import { findModel, withModelFolder } from '../registry/model-store.js';
import { readSlots } from '../registry/slots.js';
import { loadScorer } from '../score/load-scorer.js';
import { isFittedTo } from '../score/training-set.js';
import type { Settings } from '../settings/settings.js';
import type { Reading } from '../telemetry/reading.js';
import type { Database } from '../twin/database.js';
import { tell, tick } from './terminal.js';
import { sourceOf, type SourceFlags, type TrainingSource } from './train-source.js';
import { withDatabase } from './with-database.js';

export interface EveryFlags extends SourceFlags {
  /** ms from the beginning of one round to that of the next */
  readonly every: number;
  /** Has each challenger score in the shadow, in the place of the one before. */
  readonly shadow?: boolean;
}

/** Trains on a source and writes the folder. */
export type TrainInto = (dir: string, source: TrainingSource, signal: AbortSignal) => Promise<void>;

/**
 * Trains again and again, each time on the newest window of a topic; judges the result beside the model in use on cars of
 * that window that it was not fitted to; and registers it as a challenger. A round that fails is told, and the next one
 * tries again. Ends when the signal is aborted.
 * @throws Error with one message for the user when the flags do not go together
 */
export async function trainEvery(flags: EveryFlags, train: TrainInto, signal: AbortSignal): Promise<void> {
  if (flags.fromKafka === undefined) throw new Error('--every goes with --from-kafka');
  if (flags.fromOffsets !== undefined) throw new Error('--every reads the newest window: --since, not --from-offsets');
  const window = flags.since === undefined ? flags.every : Date.now() - flags.since;
  for (;;) {
    const next = Date.now() + flags.every;
    const round = { ...flags, since: Date.now() - window };
    await withDatabase((database, settings) => trainOnce(database, settings, round, train, signal)).catch(
      (error: unknown) => {
        if (!signal.aborted)
          tell(`this round made no challenger: ${error instanceof Error ? error.message : String(error)}`);
      },
    );
    if (signal.aborted) return;
    tell(`the next round begins at ${new Date(next).toISOString()}`);
    await pause(Math.max(0, next - Date.now()), undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
  }
}

async function trainOnce(
  database: Database,
  settings: Settings,
  flags: EveryFlags,
  train: TrainInto,
  signal: AbortSignal,
): Promise<void> {
  const dir = join(mkdtempSync(join(tmpdir(), 'fleet-twin-challenger-')), 'model');
  try {
    await train(dir, sourceOf(flags, signal), signal);
    const held = () => heldOut(sourceOf(flags, signal).readings);
    const challenger = await judged(dir, settings, held);
    const { champion } = await readSlots(database);
    const beside =
      champion === null
        ? await judged(settings.MODEL_DIR, settings, held)
        : await withModelFolder(database, await findModel(database, champion), (folder) =>
            judged(folder, settings, held),
          );
    const note = `${said(challenger)}; ${said(beside)}`;
    const check: CheckFolder = async (folder) => (await loaded(folder, settings)).close();
    const { _id, name } = await register(database, check, dir, { by: 'fleet-twin train', note, now: new Date() });
    tell(`${_id} is registered as a challenger: ${note}`);
    if (flags.shadow) await intoShadow(database, check, _id, name);
  } finally {
    rmSync(join(dir, '..'), { recursive: true, force: true });
  }
}

/** In the place of the challenger before, which has the same name. */
async function intoShadow(database: Database, check: CheckFolder, id: string, name: string): Promise<void> {
  const wish = { by: 'fleet-twin train', now: new Date() };
  for (const shadow of (await readSlots(database)).shadows)
    if (shadow !== id && shadow.startsWith(`${name}@`))
      await change(database, check, { ...wish, action: 'UNSHADOW', model: shadow });
  await change(database, check, { ...wish, action: 'SHADOW', model: id });
}

/** Only cars that no row was fitted to: the challenger is not judged on what it has seen. */
async function* heldOut(readings: Iterable<Reading> | AsyncIterable<Reading>): AsyncGenerator<Reading> {
  for await (const reading of readings) if (!isFittedTo(reading.car)) yield reading;
}

async function judged(dir: string, settings: Settings, readings: () => AsyncIterable<Reading>): Promise<Report> {
  const scorer = await loaded(dir, settings);
  const onProgress = (what: string, count: number) => tick(`${what}: ${count} readings`);
  const evaluation = { scorer, rules: rulesOf(settings), onProgress };
  const judge = (these: AsyncIterable<Reading>) => evaluateOnReadings(these, scorer.model, evaluation, () => undefined);
  try {
    return await judge(readings()).catch((error: unknown) => {
      // Labels of one class tell nothing apart; how calm it is can be said all the same.
      if (error instanceof OneClassError) return judge(unlabelled(readings()));
      throw error;
    });
  } finally {
    await scorer.close();
  }
}

async function* unlabelled(readings: AsyncIterable<Reading>): AsyncGenerator<Reading> {
  for await (const reading of readings) yield { ...reading, label: null };
}

function loaded(dir: string, { TF_BACKEND: backend, SCORE_EVALUATOR: evaluator }: Settings) {
  return loadScorer({ dir, backend, evaluator, log: () => undefined });
}

function said({ model, healthy: [calm], faults: [failed] }: Report): string {
  if (!calm) return `${model}: no readings`;
  const { flagged, readings, falseEpisodesPer1000CarHours: episodes } = calm;
  const base = `${model} flags ${(flagged * 100).toFixed(3)} % of ${readings} ${calm.cars} readings, ${episodes.toFixed(1)} episodes per 1,000 car-hours`;
  if (!failed) return base;
  return `${base}, ROC-AUC ${failed.rocAuc.toFixed(4)}, recall ${failed.flagged.toFixed(4)} of ${failed.failed} failed ones`;
}
