import type { Database } from '../twin/database.js';
import type { ModelAction, ModelChange, ModelSlots } from '../twin/model-documents.js';
import { findModel } from './model-store.js';
import { RegistryError } from './registry-error.js';

/** What somebody wants done with the models in use. */
export interface Wish {
  readonly action: ModelAction;
  /** name@version; not looked at for ROLLBACK. */
  readonly model: string;
  readonly by: string;
  readonly now: Date;
}

export const STREAM = 'sensor-data';
/** Each one costs as much as the champion. */
const MOST_SHADOWS = 3;
const KEPT_CHANGES = 100;
const KEPT_CHAMPIONS = 20;

/** Where nobody ever changed anything. */
export const UNTOUCHED: ModelSlots = {
  _id: STREAM,
  revision: 0,
  champion: null,
  shadows: [],
  previous: [],
  changes: [],
  warming: null,
  announced: 0,
};

export async function readSlots({ collections }: Pick<Database, 'collections'>): Promise<ModelSlots> {
  return { ...UNTOUCHED, ...(await collections.modelSlots.findOne({ _id: STREAM })) };
}

/** Has ingest processes load a model while it is still being checked, so that they can follow at once. */
export async function warmUp({ collections }: Database, model: string, now: Date): Promise<void> {
  const ask = { $set: { warming: { model, at: now } } };
  await onceMore(() => collections.modelSlots.updateOne({ _id: STREAM }, ask, { upsert: true }));
}

/** Takes back what `warmUp` asked for, should nobody else have asked since. */
export async function coolDown({ collections }: Database, model: string, at: Date): Promise<void> {
  await collections.modelSlots.updateOne({ _id: STREAM, warming: { model, at } }, { $set: { warming: null } });
}

/**
 * Changes which models are in use. Two who do it at once are done one after the other. What is so already changes nothing.
 * Whoever activates a model checks it before.
 * @throws RegistryError
 */
export function changeSlots(database: Database, wish: Wish): Promise<ModelSlots> {
  return onceMore(() => tryChange(database, wish));
}

/** Two who make the first document of the slots at once: the slower one finds it there the second time. */
async function onceMore<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if ((error as { code?: unknown }).code !== 11_000) throw error;
    return work();
  }
}

async function tryChange(database: Database, wish: Wish): Promise<ModelSlots> {
  const session = database.client.startSession();
  try {
    return await session.withTransaction(async () => {
      const { models, modelSlots } = database.collections;
      const before = { ...UNTOUCHED, ...(await modelSlots.findOne({ _id: STREAM }, { session })) };
      const retired = await models.find({ retiredAt: { $ne: null } }, { session, projection: { _id: 1 } }).toArray();
      const after = slotsAfter(before, wish, new Set(retired.map(({ _id }) => _id)));
      if (wish.action !== 'ROLLBACK') await findModel(database, wish.model);
      const touch = { $inc: { touched: 1 }, ...(wish.action === 'RETIRE' ? { $set: { retiredAt: wish.now } } : {}) };
      // Written by whoever wants anything of the model: a retirement and an activation of it meet here.
      const model = wish.action === 'ROLLBACK' ? after.champion : wish.model;
      if (model !== null) await models.updateOne({ _id: model }, touch, { session });
      if (after.revision === before.revision) return after;
      const { _id, ...content } = after;
      await modelSlots.replaceOne({ _id }, content, { session, upsert: true });
      return after;
    });
  } finally {
    await session.endSession();
  }
}

/**
 * The slots after a wish; the same ones where it changes nothing. Pure.
 * @param retired models that nobody may use any more
 * @throws RegistryError MODEL_CONFLICT
 */
export function slotsAfter(slots: ModelSlots, wish: Wish, retired: ReadonlySet<string>): ModelSlots {
  const { action, model } = wish;
  if (retired.has(model) && (action === 'ACTIVATE' || action === 'SHADOW'))
    throw new RegistryError('MODEL_CONFLICT', `${model} is retired`);
  switch (action) {
    case 'ACTIVATE':
      if (slots.champion === model) return slots;
      return changed(slots, wish, model, {
        champion: model,
        shadows: slots.shadows.filter((one) => one !== model),
        previous: [...slots.previous, slots.champion].slice(-KEPT_CHAMPIONS),
      });
    case 'SHADOW':
      return shadowed(slots, wish);
    case 'UNSHADOW':
      if (!slots.shadows.includes(model)) return slots;
      return changed(slots, wish, model, { shadows: slots.shadows.filter((one) => one !== model) });
    case 'ROLLBACK':
      return rolledBack(slots, wish, retired);
    case 'RETIRE':
      if (slots.champion === model || slots.shadows.includes(model))
        throw new RegistryError(
          'MODEL_CONFLICT',
          `${model} is in use: activate another one, or take it out of the shadow, first`,
        );
      return slots;
  }
}

function shadowed(slots: ModelSlots, wish: Wish): ModelSlots {
  const { model } = wish;
  if (slots.shadows.includes(model)) return slots;
  if (slots.champion === model) throw new RegistryError('MODEL_CONFLICT', `${model} is the model in use`);
  if (slots.shadows.length >= MOST_SHADOWS)
    throw new RegistryError(
      'MODEL_CONFLICT',
      `${slots.shadows.join(', ')} are in the shadow already, and each costs as much as the model in use: take one out first`,
    );
  return changed(slots, wish, model, { shadows: [...slots.shadows, model] });
}

function rolledBack(slots: ModelSlots, wish: Wish, retired: ReadonlySet<string>): ModelSlots {
  const previous = [...slots.previous];
  while (previous.length > 0) {
    const champion = previous.pop() ?? null;
    if (champion === slots.champion || (champion !== null && retired.has(champion))) continue;
    const shadows = slots.shadows.filter((one) => one !== champion);
    return changed(slots, wish, champion, { champion, previous, shadows });
  }
  throw new RegistryError('MODEL_CONFLICT', 'there is no earlier model to go back to');
}

function changed(
  slots: ModelSlots,
  { action, by, now }: Wish,
  model: string | null,
  set: Partial<Pick<ModelSlots, 'champion' | 'shadows' | 'previous'>>,
): ModelSlots {
  const revision = slots.revision + 1;
  const change: ModelChange = { revision, action, model, at: now, by };
  return { ...slots, ...set, revision, warming: null, changes: [...slots.changes, change].slice(-KEPT_CHANGES) };
}
