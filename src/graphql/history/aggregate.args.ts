import { ArgsType, Field, Float, Int, registerEnumType } from '@nestjs/graphql';
import { FIGURES, type Figure } from '../../history/buckets.js';
import { type Fill, FILLS } from '../../history/fill.js';
import { type Reduction, REDUCTIONS } from '../../history/series.js';
import type { SignalName as Name } from '../../telemetry/signals.js';
import { enumOf } from '../enum-of.js';
import { SignalName } from '../enums.js';
import { DateTime } from '../scalars.js';
import { Duration } from './duration.js';
import { UnitsInput } from './units.args.js';

export const AggregateFigure = enumOf(FIGURES);
registerEnumType(AggregateFigure, {
  name: 'AggregateFigure',
  description: 'What is asked of a signal in a bucket.',
  valuesMap: {
    MIN: { description: 'Lowest value.' },
    MAX: { description: 'Highest value.' },
    MEAN: { description: 'Mean of the values.' },
    COUNT: { description: 'Values that there are.' },
    LAST: { description: 'Newest value; takes the readings themselves.' },
    RATE: { description: 'Change from first to last value a second; takes the readings themselves.' },
    PERCENTILES: { description: 'Percentiles of the values; takes the readings themselves.' },
  },
});

export const AggregateFill = enumOf(FILLS);
registerEnumType(AggregateFill, {
  name: 'AggregateFill',
  description: 'What becomes of buckets without readings.',
  valuesMap: {
    NONE: { description: 'They are left out.' },
    NULL: { description: 'They are there, without figures.' },
    PREVIOUS: { description: 'Their mean is that of the bucket before.' },
    LINEAR: { description: 'Their mean lies on a line between their neighbours.' },
  },
});

export const SeriesReduction = enumOf(REDUCTIONS);
registerEnumType(SeriesReduction, {
  name: 'SeriesReduction',
  description: 'How a series is made smaller.',
  valuesMap: {
    LTTB: { description: 'Largest triangle, three buckets: what an eye would keep.' },
    MIN_MAX: { description: 'First, lowest, highest and last value of equal stretches of time.' },
  },
});

@ArgsType()
export class SignalRangeArgs {
  @Field(() => [SignalName], { description: 'The signals, at most 18.' })
  readonly signals!: Name[];

  @Field(() => DateTime, { description: 'Earliest event time, included.' })
  readonly from!: Date;

  @Field(() => DateTime, { description: 'Latest event time, not included.' })
  readonly to!: Date;

  @Field(() => UnitsInput, { nullable: true, description: 'The units of the answer; those of the cars without it.' })
  readonly units?: UnitsInput | null;
}

@ArgsType()
export class AggregateArgs extends SignalRangeArgs {
  @Field(() => Duration, {
    description: 'Length of the buckets, at least a second; they begin at whole steps since 1970, UTC.',
  })
  readonly step!: number;

  @Field(() => [AggregateFigure], {
    defaultValue: ['MIN', 'MAX', 'MEAN', 'COUNT'],
    description:
      'What is asked of each signal; the others are null. Without LAST, RATE and PERCENTILES rollups may do.',
  })
  readonly figures!: Figure[];

  @Field(() => [Float], {
    defaultValue: [0.5, 0.95],
    description: 'Which percentiles (0 to 1, no unit), at most 10; approximate, as the database has them.',
  })
  readonly percentiles!: number[];

  @Field(() => AggregateFill, { defaultValue: 'NONE', description: 'What becomes of buckets without readings.' })
  readonly fill!: Fill;
}

@ArgsType()
export class SeriesArgs extends SignalRangeArgs {
  @Field(() => Int, { defaultValue: 500, description: 'Most points of each signal (a number), 4 to 5,000.' })
  readonly maxPoints!: number;

  @Field(() => SeriesReduction, { defaultValue: 'LTTB', description: 'How they are chosen.' })
  readonly method!: Reduction;
}
