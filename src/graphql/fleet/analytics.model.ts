import { Field, Float, Int, ObjectType, registerEnumType } from '@nestjs/graphql';
import type { Measure } from '../../fleet/measure.js';
import { DIMENSIONS } from '../../fleet/pipelines.js';
import { SIGNALS } from '../../telemetry/signals.js';
import type { EpisodeKind } from '../../twin/episode-kind.js';
import { enumOf } from '../enum-of.js';
import { AnomalyKind } from '../enums.js';
import { DateTime } from '../scalars.js';
import { Coverage } from './coverage.model.js';

export const FleetDimension = enumOf(DIMENSIONS);
registerEnumType(FleetDimension, {
  name: 'FleetDimension',
  description: 'What cars are grouped by.',
  valuesMap: {
    STATUS: { description: 'Status; null in the past.' },
    FIRMWARE: { description: 'Version of the control unit firmware.' },
    MODEL: { description: 'Model (an attribute).' },
    FLEET: { description: 'Fleet (an attribute).' },
  },
});

export const FleetMeasure = { SCORE: 'SCORE', ...enumOf(SIGNALS.map(({ name }) => name)) } as const;
registerEnumType(FleetMeasure, {
  name: 'FleetMeasure',
  description: 'What is measured of a car: score / threshold, or a signal of its newest reading.',
  valuesMap: {
    SCORE: { description: 'Score / threshold (no unit).' },
    ...Object.fromEntries(SIGNALS.map(({ name, title, unit }) => [name, { description: `${title}, ${unit}.` }])),
  },
});

@ObjectType({ isAbstract: true })
abstract class Covered {
  @Field(() => Coverage, { description: 'What it rests on, and as of when.' })
  readonly coverage!: Coverage;
}

@ObjectType({ isAbstract: true })
abstract class CoveredGroups extends Covered {
  @Field(() => Boolean, { description: 'Whether there are more groups, whose cars the coverage does not count.' })
  readonly more!: boolean;
}

@ObjectType({ description: 'Cars that have the same values.' })
export class FleetGroup {
  @Field(() => [String], {
    nullable: 'items',
    description: 'The values, in the order of the dimensions; null for none.',
  })
  readonly values!: readonly (string | null)[];

  @Field(() => Int, { description: 'Cars in it (a number).' })
  readonly cars!: number;

  @Field(() => Int, { description: 'Cars among them that have the measure (a number); all of them without one.' })
  readonly measured!: number;

  @Field(() => Int, { nullable: true, description: 'Cars among them that are not live (a number).' })
  readonly stale!: number | null;

  @Field(() => Float, { nullable: true, description: 'Mean of the measure, in its unit; null without any.' })
  readonly mean!: number | null;

  @Field(() => [Float], { nullable: 'items', description: 'Percentiles as asked for, in the unit of the measure.' })
  readonly percentiles!: readonly (number | null)[];
}

@ObjectType({ description: 'Cars by what they have in common.' })
export class FleetGroups extends CoveredGroups {
  @Field(() => [FleetGroup], { description: 'The most frequent first, at most 1,000.' })
  readonly groups!: readonly FleetGroup[];
}

@ObjectType({ description: 'A bin of a histogram.' })
export class HistogramBin {
  @Field(() => Float, { description: 'Its lower end, included, in the unit of the measure.' })
  readonly from!: number;

  @Field(() => Float, { description: 'Its upper end, not included but in the last bin, in the unit of the measure.' })
  readonly to!: number;

  @Field(() => Int, { description: 'Cars in it (a number).' })
  readonly cars!: number;
}

@ObjectType({ description: 'How a measure spreads over the cars that have it.' })
export class FleetDistribution extends Covered {
  @Field(() => Float, { nullable: true, description: 'Mean, in its unit; null without any.' })
  readonly mean!: number | null;

  @Field(() => Float, { nullable: true, description: 'Lowest, in its unit; null without any.' })
  readonly min!: number | null;

  @Field(() => Float, { nullable: true, description: 'Highest, in its unit; null without any.' })
  readonly max!: number | null;

  @Field(() => [Float], {
    nullable: 'items',
    description: 'Percentiles as asked for, in its unit; right to a two-thousandth of the range.',
  })
  readonly percentiles!: readonly (number | null)[];

  @Field(() => [HistogramBin], { description: 'Bins of equal width from the lowest to the highest; none without any.' })
  readonly histogram!: readonly HistogramBin[];
}

@ObjectType({ description: 'A car with a measure.' })
export class MeasuredCar {
  @Field(() => Float, { description: 'The measure, in its unit.' })
  readonly value!: number;

  /** Looked up by the resolver. */
  readonly id!: string;
}

@ObjectType({ description: 'The cars with the highest or lowest values of a measure.' })
export class FleetExtremes extends Covered {
  @Field(() => [MeasuredCar], { description: 'The most extreme first.' })
  readonly cars!: readonly MeasuredCar[];
}

@ObjectType({ description: 'How measures go together over the cars that have all of them.' })
export class FleetCorrelation extends Covered {
  @Field(() => [FleetMeasure], { description: 'The measures: rows and columns.' })
  readonly measures!: readonly Measure[];

  @Field(() => [[Float]], {
    nullable: 'items',
    description: "Pearson's correlation of each pair, -1 to 1 (no unit); null where one of the two never varies.",
  })
  readonly matrix!: readonly (readonly (number | null)[])[];
}

@ObjectType({ description: 'A stretch of time, by event time.' })
export class WatchedWindow {
  @Field(() => DateTime, { description: 'Its start.' })
  readonly from!: Date;

  @Field(() => DateTime, { description: 'Its end, not included.' })
  readonly to!: Date;
}

@ObjectType({ description: 'How many cars of a group failed: had an anomaly opened in the window.' })
export class FleetFailureRate {
  @Field(() => String, { nullable: true, description: 'The value that the group has; null for none.' })
  readonly value!: string | null;

  @Field(() => Int, { description: 'Cars in the group now (a number).' })
  readonly cars!: number;

  @Field(() => Int, { description: 'Cars among them that failed (a number).' })
  readonly failed!: number;

  @Field(() => Int, { description: 'Anomalies of theirs (a number).' })
  readonly episodes!: number;

  @Field(() => Float, { description: 'failed / cars, 0 to 1 (no unit).' })
  readonly rate!: number;

  @Field(() => Float, { description: "Lower end of Wilson's 95 % interval of the rate (no unit)." })
  readonly low!: number;

  @Field(() => Float, { description: "Upper end of Wilson's 95 % interval of the rate (no unit)." })
  readonly high!: number;
}

@ObjectType({ description: 'How many cars of each group failed.' })
export class FleetFailureRates extends CoveredGroups {
  @Field(() => [FleetFailureRate], { description: 'The largest groups first, at most 1,000.' })
  readonly groups!: readonly FleetFailureRate[];

  @Field(() => WatchedWindow, { description: 'In which the anomalies were opened.' })
  readonly window!: WatchedWindow;
}

@ObjectType({ description: 'How often anomalies of a kind open, and how long they last.' })
export class EpisodeTimes {
  @Field(() => AnomalyKind, { description: 'The kind.' })
  readonly kind!: EpisodeKind;

  @Field(() => Int, { description: 'Anomalies opened in the window (a number).' })
  readonly episodes!: number;

  @Field(() => Int, { description: 'Those that have cleared (a number): what toClear rests on.' })
  readonly cleared!: number;

  @Field(() => Int, { description: 'Those that are open still (a number): they would make toClear longer.' })
  readonly open!: number;

  @Field(() => Float, { description: 'Mean time between two of one car: cars * window / episodes, s.' })
  readonly between!: number;

  @Field(() => Float, { nullable: true, description: 'Mean time until they cleared, s; null where none has.' })
  readonly toClear!: number | null;
}

@ObjectType({ description: 'How often anomalies open and how long they last, by kind.' })
export class FleetEpisodeTimes {
  @Field(() => [EpisodeTimes], { description: 'Kinds of which any was opened in the window.' })
  readonly kinds!: readonly EpisodeTimes[];

  @Field(() => Coverage, { description: 'The cars whose time was observed, and as of when.' })
  readonly coverage!: Coverage;

  @Field(() => WatchedWindow, { description: 'In which the anomalies were opened.' })
  readonly window!: WatchedWindow;
}
