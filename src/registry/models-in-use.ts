import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../log/log.js';
import type { LoadedScorer } from '../score/load-scorer.js';
import type { Panel, Scorers } from '../telemetry/score.js';
import type { Database } from '../twin/database.js';
import type { ModelSlots } from '../twin/model-documents.js';
import { isAway, storeFaultOf } from '../twin/store-fault.js';
import { LentPanel, SharedScorer } from './lent-panel.js';
import { findModel, withModelFolder } from './model-store.js';
import { readSlots } from './slots.js';

export interface ModelsOptions {
  readonly database: Database;
  /** The model of the settings, which scores where nobody activated another one. */
  readonly fallback: LoadedScorer;
  /** Loads and checks a model's folder. @throws BadModelError */
  readonly load: (dir: string) => Promise<LoadedScorer>;
  readonly log: Log;
  /** Told when other models are in use, and by their names which of those wanted could not be loaded. */
  readonly onChange?: (slots: ModelSlots, panel: Panel, refused: readonly string[]) => void;
}

/** How often the slots are looked at, ms: one read by `_id`. */
const LOOK = 500;
/** A model that could not be loaded is tried again after this long, ms. */
const TRY_AGAIN = 30_000;

/**
 * The models in use, as the registry has them. Other ones are loaded and checked beside those that score, and take their
 * place between two batches. A champion that cannot be loaded leaves the one before in its place: readings go on being scored.
 */
export class ModelsInUse implements Scorers {
  readonly #stopping = new AbortController();
  readonly #fallback: SharedScorer;
  /** The present ones, and those being waited for. */
  #lent: LentPanel | null = null;
  #warm: { readonly model: string; readonly at: number; readonly shared: SharedScorer | null } | null = null;
  #refused: readonly string[] = [];
  #triedAt = 0;
  #looking: Promise<void> = Promise.resolve();
  #following: Promise<void> | null = null;
  #told = false;

  constructor(private readonly options: ModelsOptions) {
    this.#fallback = new SharedScorer(options.fallback);
    // The settings' model is there as long as the process: a rollback to it must not fail.
    this.#fallback.hold();
  }

  /** Wanted models that could not be loaded; empty when all is well. */
  get refused(): readonly string[] {
    return this.#refused;
  }

  start(): void {
    this.#following ??= this.#follow();
  }

  /** @throws StoreFault, a retriable one, when it is not known which models are in use and MongoDB does not answer */
  async use<T>(atLeast: number, work: (panel: Panel) => Promise<T>): Promise<T> {
    // Should the registry say less after that, it was set back by hand, and what it says counts.
    if (!this.#lent || this.#lent.revision < atLeast) await store(this.#look());
    if (!this.#lent) throw new Error('the models are closed');
    return this.#lent.use(work);
  }

  async close(): Promise<void> {
    this.#stopping.abort(new Error('the models are closed'));
    await this.#following;
    await this.#looking.catch(() => undefined);
    await this.#lent?.replaced();
    this.#lent = null;
    await this.#warm?.shared?.letGo();
    await this.#fallback.letGo();
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.#look();
        this.#told = false;
      } catch (error) {
        if (!this.#told && !signal.aborted)
          this.options.log('warn', 'the models in use wait for MongoDB', { error: messageOf(error) });
        this.#told = true;
      }
      await pause(LOOK, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Reads the slots, after any look that is under way, and does what they say. */
  #look(): Promise<void> {
    const before = this.#looking.catch(() => undefined);
    this.#looking = before.then(() => this.#lookNow());
    return this.#looking;
  }

  async #lookNow(): Promise<void> {
    this.#stopping.signal.throwIfAborted();
    const slots = await readSlots(this.options.database);
    const again = this.#refused.length > 0 && performance.now() - this.#triedAt > TRY_AGAIN;
    if (slots.revision !== this.#lent?.revision || again) await this.#change(slots);
    await this.#warmUp(slots);
  }

  /** Loads what may be wanted next, and lets go of what was loaded so before. */
  async #warmUp({ warming }: ModelSlots): Promise<void> {
    if (warming?.model === this.#warm?.model && warming?.at.getTime() === this.#warm?.at) return;
    const before = this.#warm;
    this.#warm = null;
    try {
      if (!warming) return;
      const { model, at } = warming;
      const shared = this.#lent?.scorers.get(model) ?? (await this.#load(model));
      shared?.hold();
      this.#warm = { model, at: at.getTime(), shared };
    } finally {
      await before?.shared?.letGo();
    }
  }

  async #change(slots: ModelSlots): Promise<void> {
    const before = this.#lent;
    const refused: string[] = [];
    this.#triedAt = performance.now();
    const scorers = new Map<string | null, SharedScorer>();
    const loaded = async (model: string | null) => {
      const shared =
        model === null
          ? this.#fallback
          : (before?.scorers.get(model) ?? this.#warmed(model) ?? (await this.#load(model)));
      if (shared) scorers.set(model, shared);
      else refused.push(String(model));
      return shared !== null;
    };
    let champion: string | null;
    const shadows: string[] = [];
    try {
      champion = (await loaded(slots.champion)) ? slots.champion : (before?.champion ?? null);
      if (!scorers.has(champion)) scorers.set(champion, before?.scorers.get(champion) ?? this.#fallback);
      for (const shadow of slots.shadows) if (shadow !== champion && (await loaded(shadow))) shadows.push(shadow);
    } catch (error) {
      // Closes those that nobody holds.
      for (const shared of scorers.values()) {
        shared.hold();
        await shared.letGo();
      }
      throw error;
    }
    const lent = new LentPanel(slots.revision, champion, scorers, shadows);
    this.#lent = lent;
    this.#refused = refused;
    const { revision } = slots;
    this.options.log('info', 'models in use', { revision, champion: lent.panel.champion.model, shadows, refused });
    this.options.onChange?.(slots, lent.panel, refused);
    // Not awaited: a batch that is under way keeps its models, and needs nobody to wait for it.
    void before?.replaced();
  }

  #warmed(model: string): SharedScorer | null {
    return this.#warm?.model === model ? this.#warm.shared : null;
  }

  /** @throws MongoError when MongoDB is away, which says nothing about the model */
  async #load(id: string): Promise<SharedScorer | null> {
    const { database, load, log } = this.options;
    try {
      const model = await findModel(database, id);
      return new SharedScorer(await withModelFolder(database, model, load));
    } catch (error) {
      if (isAway(error)) throw error;
      log('error', 'a model of the registry cannot be used', { model: id, error: messageOf(error) });
      return null;
    }
  }
}

function store<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    throw Object.assign(storeFaultOf(error), { retriable: true });
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
