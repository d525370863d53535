import { Field, ID, Int, ObjectType } from '@nestjs/graphql';
import type { AttributesVersion } from '../../twin/car-documents.js';
import { DateTime, Json } from '../scalars.js';

@ObjectType('CarAttributes', { description: 'What was said of a car beside its telemetry, in one version.' })
export class CarAttributesModel {
  @Field(() => String, { nullable: true, description: 'The fleet that it belongs to: who may see it depends on this.' })
  readonly fleet!: string | null;

  @Field(() => String, { nullable: true, description: 'The model of the car.' })
  readonly model!: string | null;

  @Field(() => String, { nullable: true, description: 'The licence plate.' })
  readonly plate!: string | null;

  @Field(() => [String], { description: 'Tags, in the order in which they were given.' })
  readonly tags!: readonly string[];

  @Field(() => Json, { description: 'All of them by name, those that the settings add included.' })
  readonly values!: Readonly<Record<string, unknown>>;

  @Field(() => Int, { description: 'Rises by one with every change, from 1 (a number).' })
  readonly version!: number;

  @Field(() => DateTime, { description: 'Since when, by the clock of the service.' })
  readonly at!: Date;

  @Field(() => ID, { description: 'Who said so.' })
  readonly by!: string;
}

export function attributesModel({ values, version, at, by }: AttributesVersion): CarAttributesModel {
  const { fleet, model, plate, tags } = values;
  return { fleet: text(fleet), model: text(model), plate: text(plate), tags: texts(tags), values, version, at, by };
}

const text = (value: unknown) => (typeof value === 'string' ? value : null);
const texts = (value: unknown) => (Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []);
