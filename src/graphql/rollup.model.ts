import { Field, Float, Int, ObjectType } from '@nestjs/graphql';
import type { Rollup } from '../rollup/rollups.js';
import { finite } from '../telemetry/finite.js';
import { SIGNALS } from '../telemetry/signals.js';
import { STEPS, type Step } from '../telemetry/window.js';
import type { SignalFigures } from '../twin/rollup-documents.js';
import { connectionOf } from './connection.js';
import { DateTime, Long } from './scalars.js';

@ObjectType({ description: 'One signal over a window, in the unit of the signal.' })
export class SignalRollup {
  @Field(() => Int, { description: 'Readings that carried it (a number).' })
  readonly count!: number;

  @Field(() => Float, { description: 'Lowest value, in the unit of the signal.' })
  readonly min!: number;

  @Field(() => Float, {
    nullable: true,
    description: 'Mean, in the unit of the signal; null where the values are too large to be added up.',
  })
  readonly mean!: number | null;

  @Field(() => Float, { description: 'Highest value, in the unit of the signal.' })
  readonly max!: number;
}

@ObjectType({ description: 'Every signal over a window; null where no reading carried it.' })
export class SignalRollups {}

for (const { name, title, unit } of SIGNALS)
  Field(() => SignalRollup, { nullable: true, description: `${title}, ${unit}.` })(SignalRollups.prototype, name);

@ObjectType('Rollup', { description: 'The readings of a window of time, of one car or of all, as figures.' })
export class RollupModel {
  @Field(() => DateTime, { description: 'Start of the window, included.' })
  readonly from!: Date;

  @Field(() => DateTime, { description: 'End of the window, not included.' })
  readonly to!: Date;

  @Field(() => Long, { description: 'Readings in the history (a number).' })
  readonly readings!: number;

  @Field(() => Long, { description: 'Readings whose score lies above the threshold (a number).' })
  readonly anomalies!: number;

  @Field(() => Float, { nullable: true, description: "Highest score, in the model's own unit; null without scores." })
  readonly maxScore!: number | null;

  @Field(() => Float, { nullable: true, description: 'Highest score / threshold (no unit); null without scores.' })
  readonly maxRatio!: number | null;

  @Field(() => SignalRollups, { description: 'Figures of every signal.' })
  readonly signals!: Partial<Record<string, SignalRollup>>;

  @Field(() => Int, {
    nullable: true,
    description: 'Cars with readings in the window (a number); null for a single car and in hours not yet computed.',
  })
  readonly cars!: number | null;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When it was computed; null where it was made from the readings for this answer. Exact either way.',
  })
  readonly computedAt!: Date | null;
}

@ObjectType({ description: 'A page of windows that hold readings, oldest first.' })
export class RollupConnection extends connectionOf(RollupModel, 'Rollup', 'the windows') {}

export function rollupModel({ start, figures, cars, computedAt }: Rollup, step: Step): RollupModel {
  const { readings, anomalies, maxScore, maxRatio, signals } = figures;
  const window = { from: new Date(start), to: new Date(start + STEPS[step]) };
  const means = Object.entries(signals).map(([name, values]) => [name, signalModel(values)] as const);
  return { ...window, readings, anomalies, maxScore, maxRatio, signals: Object.fromEntries(means), cars, computedAt };
}

function signalModel({ count, min, max, sum }: SignalFigures): SignalRollup {
  return { count, min, mean: finite(sum / count), max };
}
