import { Field, Float, Int, ObjectType, registerEnumType } from '@nestjs/graphql';
import type { SignalName as Name } from '../../telemetry/signals.js';
import { SignalName } from '../enums.js';
import { DateTime, Long } from '../scalars.js';
import { Duration } from './duration.js';
import { KEPT_SINCE } from './kept-since.js';

const Source = { RAW: 'RAW', ROLLUP: 'ROLLUP' } as const;
registerEnumType(Source, {
  name: 'AggregateSource',
  description: 'What an answer was made from; both give the same.',
  valuesMap: { RAW: { description: 'The readings.' }, ROLLUP: { description: 'Rollups of them.' } },
});

@ObjectType({
  description: 'Figures of one signal in one bucket; null where they were not asked for or there is no value.',
})
export class SignalAggregate {
  @Field(() => SignalName, { description: 'The signal.' })
  readonly signal!: Name;

  @Field(() => String, { description: 'The unit of its figures.' })
  readonly unit!: string;

  @Field(() => Long, { nullable: true, description: 'Values that there are (a number).' })
  readonly count!: number | null;

  @Field(() => Float, { nullable: true, description: 'Lowest value, in that unit.' })
  readonly min!: number | null;

  @Field(() => Float, { nullable: true, description: 'Highest value, in that unit.' })
  readonly max!: number | null;

  @Field(() => Float, { nullable: true, description: 'Mean, in that unit.' })
  readonly mean!: number | null;

  @Field(() => Float, { nullable: true, description: 'Newest value, in that unit.' })
  readonly last!: number | null;

  @Field(() => Float, { nullable: true, description: 'Change from first to last value, in that unit a second.' })
  readonly rate!: number | null;

  @Field(() => [Float], { nullable: 'itemsAndList', description: 'Percentiles as asked for, in that unit.' })
  readonly percentiles!: readonly (number | null)[] | null;
}

@ObjectType({ description: 'A stretch of time.' })
export class AggregateBucket {
  @Field(() => DateTime, { description: 'Its start, included.' })
  readonly from!: Date;

  @Field(() => DateTime, { description: 'Its end, not included.' })
  readonly to!: Date;

  @Field(() => Long, { description: 'Readings in it (a number).' })
  readonly readings!: number;

  @Field(() => Boolean, { description: 'Whether it had no readings, so that its mean is made up (see fill).' })
  readonly filled!: boolean;

  @Field(() => [SignalAggregate], { description: 'The signals, in the order in which they were asked for.' })
  readonly signals!: readonly SignalAggregate[];
}

@ObjectType({ description: 'Figures of signals over time.' })
export class AggregateModel {
  @Field(() => Duration, { description: 'Length of a bucket.' })
  readonly step!: number;

  @Field(() => Source, { description: 'What it was made from.' })
  readonly source!: keyof typeof Source;

  @Field(() => DateTime, { nullable: true, description: KEPT_SINCE })
  readonly keptSince!: Date | null;

  @Field(() => [AggregateBucket], { description: 'The buckets, oldest first.' })
  readonly buckets!: readonly AggregateBucket[];
}

@ObjectType({ description: 'A value at an instant.' })
export class SeriesPoint {
  @Field(() => DateTime, { description: 'Event time.' })
  readonly at!: Date;

  @Field(() => Float, { description: 'The value, in the unit of the series.' })
  readonly value!: number;
}

@ObjectType({ description: 'A signal over time, small enough to plot.' })
export class SignalSeries {
  @Field(() => SignalName, { description: 'The signal.' })
  readonly signal!: Name;

  @Field(() => String, { description: 'The unit of its values.' })
  readonly unit!: string;

  @Field(() => Int, { description: 'Values that there are (a number); more than points where it was reduced.' })
  readonly values!: number;

  @Field(() => DateTime, { nullable: true, description: KEPT_SINCE })
  readonly keptSince!: Date | null;

  @Field(() => [SeriesPoint], { description: 'Values that were really sent, oldest first.' })
  readonly points!: readonly SeriesPoint[];
}
