import { Inject } from '@nestjs/common';
import { Mutation, Query, Resolver } from '@nestjs/graphql';
import type { Viewer } from '../access/viewer.js';
import { compareShadow, type Comparison } from '../registry/comparison.js';
import { driftOfFleet } from '../registry/drift-of-fleet.js';
import { change, overview, type CheckFolder } from '../registry/lifecycle.js';
import { findModel } from '../registry/model-store.js';
import { readSlots } from '../registry/slots.js';
import type { Database } from '../twin/database.js';
import type { ModelAction } from '../twin/model-documents.js';
import { DATABASE } from '../twin/twin.module.js';
import { ApiError } from './api-error.js';
import { CurrentViewer } from './current-viewer.js';
import { checkRange } from './keyset.js';
import { DriftArgs, ModelChangeArgs, ModelComparisonArgs } from './model.args.js';
import { FleetDrift, ModelComparison, ModelModel, ModelsInUse, modelModel } from './model.model.js';
import { requireAllFleets, requireRole } from './require-role.js';
import { TypedArgs } from './typed-args.js';

/** What the API role needs to know of models beside the database. */
export interface ModelTools {
  readonly check: CheckFolder;
  /** Folder of the settings' model. */
  readonly fallbackDir: string;
  readonly clock: () => number;
}

export const MODEL_TOOLS = Symbol('ModelTools');

const LONGEST = 31 * 86_400_000;

@Resolver(() => ModelModel)
export class ModelResolver {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(MODEL_TOOLS) private readonly tools: ModelTools,
  ) {}

  @Query(() => [ModelModel], { description: 'Every registered model, the newest first.' })
  async models(): Promise<ModelModel[]> {
    const { slots, models } = await overview(this.database);
    return models.map((model) => modelModel(model, slots));
  }

  @Query(() => ModelsInUse, { description: 'Which models score.' })
  modelsInUse(): Promise<ModelsInUse> {
    return readSlots(this.database);
  }

  @Query(() => [ModelComparison], {
    description: 'What a model in the shadow would have changed: one answer for each model that was in use meanwhile.',
  })
  async modelComparison(
    @TypedArgs({ type: () => ModelComparisonArgs }) args: ModelComparisonArgs,
    @CurrentViewer() viewer: Viewer,
  ): Promise<Comparison[]> {
    requireAllFleets(viewer);
    checkRange(args);
    if (args.to.getTime() - args.from.getTime() > LONGEST)
      throw new ApiError('BAD_ARGUMENT', 'from and to have at most 31 days between them');
    await findModel(this.database, args.model);
    return compareShadow(this.database, args);
  }

  @Query(() => FleetDrift, {
    description:
      "How far the fleet's readings of a time are from those that a model was trained on: up to 20,000 of them, evenly over the time.",
  })
  drift(
    @TypedArgs({ type: () => DriftArgs }) { model, from, to }: DriftArgs,
    @CurrentViewer() viewer: Viewer,
  ): Promise<FleetDrift> {
    requireAllFleets(viewer);
    checkRange({ from, to });
    return driftOfFleet(this.database, { model: model ?? undefined, from, to, fallbackDir: this.tools.fallbackDir });
  }

  @Mutation(() => ModelsInUse, {
    description:
      'Has a model score from now on, once its golden answers agree. Ingest processes follow within seconds.',
  })
  activateModel(
    @TypedArgs({ type: () => ModelChangeArgs }) args: ModelChangeArgs,
    @CurrentViewer() viewer: Viewer,
  ): Promise<ModelsInUse> {
    return this.change('ACTIVATE', args, viewer);
  }

  @Mutation(() => ModelsInUse, { description: 'Has a model score beside the one in use, raising nothing.' })
  shadowModel(
    @TypedArgs({ type: () => ModelChangeArgs }) args: ModelChangeArgs,
    @CurrentViewer() viewer: Viewer,
  ): Promise<ModelsInUse> {
    return this.change('SHADOW', args, viewer);
  }

  @Mutation(() => ModelsInUse, { description: 'Takes a model out of the shadow.' })
  unshadowModel(
    @TypedArgs({ type: () => ModelChangeArgs }) args: ModelChangeArgs,
    @CurrentViewer() viewer: Viewer,
  ): Promise<ModelsInUse> {
    return this.change('UNSHADOW', args, viewer);
  }

  @Mutation(() => ModelsInUse, { description: 'Goes back to the model that scored before.' })
  rollbackModel(
    @TypedArgs({ name: 'by', type: () => String, description: 'Who wants it.' }) by: string,
    @CurrentViewer() viewer: Viewer,
  ): Promise<ModelsInUse> {
    return this.change('ROLLBACK', { model: '', by }, viewer);
  }

  @Mutation(() => ModelsInUse, { description: 'Keeps a model from being used again; its name in old scores stays.' })
  retireModel(
    @TypedArgs({ type: () => ModelChangeArgs }) args: ModelChangeArgs,
    @CurrentViewer() viewer: Viewer,
  ): Promise<ModelsInUse> {
    return this.change('RETIRE', args, viewer);
  }

  private async change(action: ModelAction, { model, by }: ModelChangeArgs, viewer: Viewer): Promise<ModelsInUse> {
    requireRole(viewer, 'modeller');
    requireAllFleets(viewer);
    if (by.trim() === '') throw new ApiError('BAD_ARGUMENT', 'by must say who wants it');
    const wish = { action, model, by, now: new Date(this.tools.clock()) };
    return change(this.database, this.tools.check, wish);
  }
}
