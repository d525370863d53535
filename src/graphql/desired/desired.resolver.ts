import { Inject } from '@nestjs/common';
import { ID, Mutation, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import type { Viewer } from '../../access/viewer.js';
import type { DesiredValues } from '../../twin/car-documents.js';
import type { Database } from '../../twin/database.js';
import { setDesired } from '../../twin/set-desired.js';
import { DATABASE } from '../../twin/twin.module.js';
import { ApiError } from '../api-error.js';
import { Car } from '../car.model.js';
import { checkCarToChange, checkValues, IF_VERSION, mayChangeCar, noSuchCar } from '../change/change-of-car.js';
import type { ValuesCheck } from '../change/plain-values.js';
import { CurrentViewer } from '../current-viewer.js';
import { API_CLOCK } from '../handling.resolver.js';
import { LOADERS, type Loaders } from '../loaders.js';
import { Json } from '../scalars.js';
import { TypedArgs } from '../typed-args.js';
import { commandModel } from './command.model.js';
import { deltaOf } from './delta.js';
import { DesiredDifference, desiredModel, DesiredSetModel, DesiredState } from './desired.model.js';
import { pastDesired } from './past-desired.js';

export interface DesiredTools {
  /** What is wrong with the values, null where nothing is. */
  readonly check: ValuesCheck;
  /** How long a car may take to answer, ms. */
  readonly expiry: number;
}

export const DESIRED_TOOLS = Symbol('DesiredTools');

@Resolver(() => Car)
export class DesiredResolver {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(LOADERS) private readonly loaders: Loaders,
    @Inject(DESIRED_TOOLS) private readonly tools: DesiredTools,
    @Inject(API_CLOCK) private readonly clock: () => number,
  ) {}

  @ResolveField(() => DesiredState, { nullable: true, description: 'How it is to be; null where nobody said.' })
  async desired(@Parent() { id, asOf, signals }: Car): Promise<DesiredState | null> {
    const said = await this.loaders.said.load(id);
    if (!asOf) return said?.desired ? desiredModel(id, said.desired, said.accepted, signals) : null;
    const past = await pastDesired(this.database.collections.commands, id, asOf, said);
    return past && desiredModel(id, past.desired, past.accepted, signals);
  }

  @Mutation(() => DesiredSetModel, {
    description:
      'Says how a car is to be: all values at once, those not given are no longer desired. A command tells the car. Role operator.',
  })
  async setDesired(
    @TypedArgs({ name: 'car', type: () => ID, description: 'Car id; the car need not have been seen yet.' })
    car: string,
    @TypedArgs({ name: 'values', type: () => Json, description: 'The values by name, as COMMANDS_SCHEMA allows.' })
    values: unknown,
    @TypedArgs(IF_VERSION)
    ifVersion: number | null,
    @CurrentViewer() viewer: Viewer,
  ): Promise<DesiredSetModel> {
    checkCarToChange(viewer, car);
    checkValues(values, this.tools.check, 'INVALID_DESIRED', 'The desired values');
    const wanted = values as DesiredValues;
    const mayChange = await mayChangeCar(viewer, this.loaders, car);
    const { expiry } = this.tools;
    const now = new Date(this.clock());
    const change = { car, values: wanted, ifVersion: ifVersion ?? null, now, expiry, by: viewer.name, mayChange };
    const done = await setDesired(this.database, change);
    if (done.kind === 'conflict')
      throw new ApiError('VERSION_CONFLICT', `The desired state is at version ${done.version}`);
    if (done.kind === 'refused') throw noSuchCar();
    const { desired, accepted, command } = done;
    return { desired: desiredModel(car, desired, accepted), command: commandModel(command) };
  }
}

@Resolver(() => DesiredState)
export class DeltaResolver {
  constructor(@Inject(LOADERS) private readonly loaders: Loaders) {}

  @ResolveField(() => [DesiredDifference], {
    description: 'The desired values that are not so yet; empty when the car is as it is to be.',
  })
  async delta(@Parent() { car, values, accepted, signals }: DesiredState): Promise<DesiredDifference[]> {
    const reported = signals === undefined ? (await this.loaders.cars.load(car))?.reported.signals : signals;
    return deltaOf(values, accepted?.values as DesiredValues | undefined, reported ?? null);
  }
}
