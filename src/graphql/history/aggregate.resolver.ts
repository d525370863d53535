import { Inject } from '@nestjs/common';
import { Parent, ResolveField, Resolver } from '@nestjs/graphql';
import { READ_LIMIT } from '../../fleet/fleet.js';
import { aggregate, TooManyWindows } from '../../history/aggregate.js';
import { type Bucket, MOST_BUCKETS } from '../../history/buckets.js';
import { fill } from '../../history/fill.js';
import { MOST_POINTS, series } from '../../history/series.js';
import { TooManyReadings } from '../../rollup/windows-read.js';
import { converted } from '../../telemetry/units.js';
import type { Database } from '../../twin/database.js';
import { DATABASE } from '../../twin/twin.module.js';
import { ApiError } from '../api-error.js';
import { Car } from '../car.model.js';
import { checkYears } from '../fleet/cohort-of.js';
import { checkRange } from '../keyset.js';
import { LOADERS, type Loaders } from '../loaders.js';
import { AggregateArgs, SeriesArgs, type SignalRangeArgs } from './aggregate.args.js';
import { AggregateModel, type SignalAggregate, SignalSeries } from './aggregate.model.js';
import { KEPT_TOOLS, type KeptTools, missingBefore } from './kept-since.js';
import { TypedArgs } from '../typed-args.js';
import { type Given, givenIn } from './units.args.js';

const MOST_PERCENTILES = 10;
const SHORTEST_STEP = 1_000;

@Resolver(() => Car)
export class AggregateResolver {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(LOADERS) private readonly loaders: Loaders,
    @Inject(KEPT_TOOLS) private readonly kept: KeptTools,
  ) {}

  @ResolveField(() => AggregateModel, { description: 'Figures of its signals in buckets of time.' })
  async aggregate(
    @Parent() { id: car, asOf, firstSeenAt, lastSeenAt }: Car,
    @TypedArgs({ type: () => AggregateArgs }) args: AggregateArgs,
  ): Promise<AggregateModel> {
    const { step, percentiles } = args;
    const { from, to } = rangeOf(args, asOf);
    if (step < SHORTEST_STEP) throw new ApiError('BAD_ARGUMENT', 'A step has at least a second');
    if (percentiles.length > MOST_PERCENTILES || percentiles.some((one) => !(one >= 0 && one <= 1)))
      throw new ApiError('BAD_ARGUMENT', `Up to ${MOST_PERCENTILES} percentiles between 0 and 1 can be asked for`);
    const first = from.getTime() - (from.getTime() % step);
    const count = from < to ? Math.ceil((to.getTime() - first) / step) : 0;
    if (count > MOST_BUCKETS)
      throw new ApiError('TOO_MANY_BUCKETS', `That would be ${count} buckets; the limit is ${MOST_BUCKETS}`);
    const signals = [...new Set(args.signals)];
    const figures = new Set(args.figures);
    const query = { car, signals, from, to, step, figures, percentiles };
    const seen = { first: firstSeenAt, last: lastSeenAt };
    const { windows } = this.loaders;
    const answer = await aggregate(this.database.collections, windows, query, seen, READ_LIMIT).catch(tooMany);
    const starts = Array.from({ length: count }, (_, n) => first + n * step);
    const given = signals.map((signal) => givenIn(signal, args.units));
    const buckets = fill(answer.buckets, signals, starts, args.fill).map((bucket) => ({
      from: new Date(bucket.start),
      to: new Date(bucket.start + step),
      readings: bucket.readings,
      filled: bucket.filled,
      signals: signalsOf(bucket, given),
    }));
    const { source } = answer;
    const kept = missingBefore(this.kept, source, { from, to }, firstSeenAt);
    return { step, source: source === 'RAW' ? 'RAW' : 'ROLLUP', keptSince: kept, buckets };
  }

  @ResolveField(() => [SignalSeries], { description: 'Its signals over time, reduced to what a plot can show.' })
  async series(
    @Parent() { id: car, asOf, firstSeenAt }: Car,
    @TypedArgs({ type: () => SeriesArgs }) args: SeriesArgs,
  ): Promise<SignalSeries[]> {
    const { maxPoints, method, units } = args;
    const { from, to } = rangeOf(args, asOf);
    if (maxPoints < 4 || maxPoints > MOST_POINTS)
      throw new ApiError('BAD_ARGUMENT', `maxPoints lies between 4 and ${MOST_POINTS}`);
    const kept = missingBefore(this.kept, 'RAW', { from, to }, firstSeenAt);
    const answers: SignalSeries[] = [];
    for (const signal of new Set(args.signals)) {
      const { unit, conversion } = givenIn(signal, units);
      const query = { car, signal, from, to, maxPoints, method };
      const { points, values } = await series(this.database.collections, query, READ_LIMIT);
      const shown = points.flatMap((point) => {
        const value = converted(point.value, conversion);
        return value === null ? [] : [{ at: new Date(point.at), value }];
      });
      answers.push({ signal, unit, values, keptSince: kept, points: shown });
    }
    return answers;
  }
}

/** @throws ApiError BAD_RANGE, BAD_ARGUMENT */
function rangeOf({ from, to, signals }: SignalRangeArgs, asOf: Date | null): { from: Date; to: Date } {
  checkRange({ from, to });
  if (signals.length === 0) throw new ApiError('BAD_ARGUMENT', 'At least one signal has to be asked for');
  checkYears(from, to);
  const end = asOf ? new Date(Math.min(to.getTime(), asOf.getTime() + 1)) : to;
  return { from: from < end ? from : end, to: end };
}

function tooMany(fault: unknown): never {
  if (fault instanceof TooManyWindows)
    throw new ApiError('TOO_MANY_READINGS', `${fault.message}: ask for a shorter range`, { cause: fault });
  if (!(fault instanceof TooManyReadings)) throw fault;
  throw new ApiError('TOO_MANY_READINGS', 'Rollups of so much time are not computed yet', { cause: fault });
}

function signalsOf({ signals }: Bucket, given: readonly Given[]): SignalAggregate[] {
  return signals.map((figures, n) => {
    const { unit, conversion } = given[n] as Given;
    const inUnit = (value: number | null) => converted(value, conversion);
    const { min, max, mean, last, rate, percentiles } = figures;
    return {
      ...figures,
      unit,
      min: inUnit(min),
      max: inUnit(max),
      mean: inUnit(mean),
      last: inUnit(last),
      // A change has no zero point.
      rate: converted(rate, { ...conversion, offset: 0 }),
      percentiles: percentiles?.map(inUnit) ?? null,
    };
  });
}
