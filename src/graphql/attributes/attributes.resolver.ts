import { Inject } from '@nestjs/common';
import { ID, Mutation, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import type { Viewer } from '../../access/viewer.js';
import type { AttributesVersion, CarAttributes } from '../../twin/car-documents.js';
import type { Database } from '../../twin/database.js';
import { setAttributes } from '../../twin/set-attributes.js';
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
import { attributesModel, CarAttributesModel } from './attributes.model.js';

export const ATTRIBUTES_CHECK = Symbol('AttributesCheck');

@Resolver(() => Car)
export class AttributesResolver {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(LOADERS) private readonly loaders: Loaders,
    @Inject(ATTRIBUTES_CHECK) private readonly check: ValuesCheck,
    @Inject(API_CLOCK) private readonly clock: () => number,
  ) {}

  @ResolveField(() => CarAttributesModel, { nullable: true, description: 'What was said of it; null for nothing.' })
  async attributes(@Parent() { id, asOf }: Car): Promise<CarAttributesModel | null> {
    const versions = await this.versions(id);
    const valid = versions.findLast(({ at }) => !asOf || at <= asOf);
    if (!valid && versions[0] && versions[0].version > 1)
      throw new ApiError('BEFORE_RETENTION', 'The attributes of that instant are no longer kept');
    return valid && Object.keys(valid.values).length > 0 ? attributesModel(valid) : null;
  }

  @ResolveField(() => [CarAttributesModel], { description: 'Up to 50 former versions, the newest first.' })
  async formerAttributes(@Parent() { id, asOf }: Car): Promise<CarAttributesModel[]> {
    const versions = await this.versions(id);
    const known = versions.filter(({ at }) => !asOf || at <= asOf);
    return known.slice(0, -1).map(attributesModel).reverse();
  }

  /** Those that are kept, the oldest first. */
  private async versions(id: string): Promise<AttributesVersion[]> {
    const said = await this.loaders.said.load(id);
    return [...(said?.formerAttributes ?? []), ...(said?.attributes ? [said.attributes] : [])];
  }

  @Mutation(() => CarAttributesModel, {
    description:
      'Says what a car is, beside its telemetry: all attributes at once, those not given are gone. Role operator.',
  })
  async setAttributes(
    @TypedArgs({ name: 'car', type: () => ID, description: 'Car id; the car need not have been seen yet.' })
    car: string,
    @TypedArgs({
      name: 'values',
      type: () => Json,
      description: 'The attributes by name, as ATTRIBUTES_SCHEMA allows.',
    })
    values: unknown,
    @TypedArgs(IF_VERSION)
    ifVersion: number | null,
    @CurrentViewer() viewer: Viewer,
  ): Promise<CarAttributesModel> {
    checkCarToChange(viewer, car);
    checkValues(values, this.check, 'INVALID_ATTRIBUTES', 'The attributes');
    const wanted = values as CarAttributes;
    const mayChange = await mayChangeCar(viewer, this.loaders, car);
    if (!mayChange(wanted.fleet)) throw new ApiError('FORBIDDEN', 'The car would leave what you may see');
    const change = { car, values: wanted, ifVersion: ifVersion ?? null, at: new Date(this.clock()), by: viewer.name };
    const done = await setAttributes(this.database, { ...change, mayChange });
    switch (done.kind) {
      case 'set':
        return attributesModel(done.attributes);
      case 'conflict':
        throw new ApiError('VERSION_CONFLICT', `The attributes are at version ${done.version}`);
      case 'refused':
        throw noSuchCar();
    }
  }
}
