import type { Database } from '../twin/database.js';
import type { ModelDocument, ModelSlots } from '../twin/model-documents.js';
import { findModel, registerModel, withModelFolder, type Registering } from './model-store.js';
import { RegistryError } from './registry-error.js';
import { changeSlots, coolDown, readSlots, warmUp, type Wish } from './slots.js';

/** What a registered model does. */
export const MODEL_ROLES = ['CHAMPION', 'SHADOW', 'IDLE', 'RETIRED'] as const;
export type ModelRole = (typeof MODEL_ROLES)[number];

/** Loads a model's folder and has it repeat its golden answers. @throws Error that says where it differs */
export type CheckFolder = (dir: string) => Promise<void>;

/**
 * Checks a folder and stores it.
 * @throws RegistryError MODEL_REFUSED with what differs; MODEL_CONFLICT where name and version stand for another artefact
 */
export async function register(
  database: Database,
  check: CheckFolder,
  dir: string,
  registering: Registering,
): Promise<ModelDocument> {
  await checked(check, dir, dir);
  return registerModel(database, dir, registering);
}

/**
 * Does what somebody wants of the models in use; a model is checked as it is stored before it may score.
 * @throws RegistryError UNKNOWN_MODEL, MODEL_REFUSED with what differs, MODEL_CONFLICT
 */
export async function change(database: Database, check: CheckFolder, wish: Wish): Promise<ModelSlots> {
  if (wish.action === 'ACTIVATE' || wish.action === 'SHADOW') {
    const model = await findModel(database, wish.model);
    await warmUp(database, model._id, wish.now);
    try {
      await withModelFolder(database, model, (dir) => checked(check, dir, wish.model));
      return await changeSlots(database, wish);
    } catch (error) {
      // Nobody wants it any more: processes that have loaded it let go of it.
      await coolDown(database, model._id, wish.now).catch(() => undefined);
      throw error;
    }
  }
  return changeSlots(database, wish);
}

export function roleOf({ _id, retiredAt }: ModelDocument, { champion, shadows }: ModelSlots): ModelRole {
  if (retiredAt !== null) return 'RETIRED';
  if (champion === _id) return 'CHAMPION';
  return shadows.includes(_id) ? 'SHADOW' : 'IDLE';
}

/** Every model with what it does, the newest first. */
export async function overview(database: Database): Promise<{ slots: ModelSlots; models: ModelDocument[] }> {
  const slots = await readSlots(database);
  return { slots, models: await database.collections.models.find().sort({ registeredAt: -1, _id: 1 }).toArray() };
}

async function checked(check: CheckFolder, dir: string, called: string): Promise<void> {
  try {
    await check(dir);
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).replaceAll(dir, called);
    throw new RegistryError('MODEL_REFUSED', reason, { cause: error });
  }
}
