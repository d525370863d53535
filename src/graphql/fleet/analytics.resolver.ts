import { Inject } from '@nestjs/common';
import { Float, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import type { Viewer } from '../../access/viewer.js';
import type { FleetAnalytics } from '../../fleet/analytics.js';
import type { Group } from '../../fleet/answers.js';
import type { Fleet } from '../../fleet/fleet.js';
import { ANALYTICS, FLEET } from '../../fleet/fleet.module.js';
import type { Dimension, EpisodeWindow, Measure } from '../../fleet/pipelines.js';
import type { Cohort } from '../../fleet/source.js';
import { type EpisodeKind, MECHANICAL_KINDS } from '../../twin/episode-kind.js';
import { ApiError } from '../api-error.js';
import { Car, carModel } from '../car.model.js';
import { pageSize } from '../connection.js';
import { CurrentViewer } from '../current-viewer.js';
import { FleetModel } from '../fleet.model.js';
import { LOADERS, type Loaders } from '../loaders.js';
import { twinFor } from '../seen-by.js';
import { TypedArgs } from '../typed-args.js';
import { checkWindow } from './cohort-of.js';
import { DistributionArgs, ExtremesArgs, FailureArgs, GroupArgs, WindowArgs } from './analytics.args.js';
import {
  EpisodeTimes,
  FleetCorrelation,
  FleetDistribution,
  FleetFailureRate,
  FleetGroup,
  FleetMeasure,
  MeasuredCar,
} from './analytics.model.js';

const MOST_PERCENTILES = 10;
const MOST_BINS = 1_000;
const MOST_CORRELATED = 8;

@Resolver(() => FleetModel)
export class FleetAnalyticsResolver {
  constructor(@Inject(ANALYTICS) private readonly analytics: FleetAnalytics) {}

  @ResolveField(() => [FleetGroup], { description: 'Cars by firmware, the most frequent first; up to 15 s old.' })
  byFirmware(@Parent() { cohort }: FleetModel): Promise<FleetGroup[]> {
    return this.counts(cohort, 'FIRMWARE');
  }

  @ResolveField(() => [FleetGroup], { description: 'Cars by model, the most frequent first; up to 15 s old.' })
  byModel(@Parent() { cohort }: FleetModel): Promise<FleetGroup[]> {
    return this.counts(cohort, 'MODEL');
  }

  @ResolveField(() => [FleetGroup], { description: 'Cars by fleet, the most frequent first; up to 15 s old.' })
  byFleet(@Parent() { cohort }: FleetModel): Promise<FleetGroup[]> {
    return this.counts(cohort, 'FLEET');
  }

  @ResolveField(() => [FleetGroup], {
    description: 'Cars by one or two dimensions, read now; the most frequent groups first, at most 1,000.',
  })
  async groupBy(
    @Parent() { cohort }: FleetModel,
    @TypedArgs({ type: () => GroupArgs }) { by, measure, percentiles }: GroupArgs,
  ): Promise<FleetGroup[]> {
    if (by.length < 1 || by.length > 2 || new Set(by).size < by.length)
      throw new ApiError('BAD_ARGUMENT', 'Group by one or two different dimensions');
    checkPercentiles(percentiles);
    return (await this.analytics.groups(cohort, by, measure ?? null, measure ? percentiles : [])).map(groupModel);
  }

  @ResolveField(() => FleetDistribution, { description: 'How a measure spreads over the cars.' })
  async distribution(
    @Parent() { cohort }: FleetModel,
    @TypedArgs({ type: () => DistributionArgs }) { measure, percentiles, bins }: DistributionArgs,
  ): Promise<FleetDistribution> {
    checkPercentiles(percentiles);
    if (bins < 1 || bins > MOST_BINS) throw new ApiError('BAD_ARGUMENT', `bins lies between 1 and ${MOST_BINS}`);
    const found = await this.analytics.distribution(cohort, measure, percentiles, bins);
    return { ...found, asOf: new Date(found.asOf) };
  }

  @ResolveField(() => [MeasuredCar], { description: 'The cars with the highest or lowest values; up to 15 s old.' })
  extremes(
    @Parent() { cohort }: FleetModel,
    @TypedArgs({ type: () => ExtremesArgs }) { measure, first, lowest }: ExtremesArgs,
  ): Promise<MeasuredCar[]> {
    return this.analytics.extremes(cohort, measure, lowest, Math.max(1, pageSize(first)));
  }

  @ResolveField(() => FleetCorrelation, { description: 'How measures go together, read now.' })
  async correlation(
    @Parent() { cohort }: FleetModel,
    @TypedArgs({ name: 'measures', type: () => [FleetMeasure], description: '2 to 8 different measures.' })
    measures: Measure[],
  ): Promise<FleetCorrelation> {
    if (measures.length < 2 || measures.length > MOST_CORRELATED || new Set(measures).size < measures.length)
      throw new ApiError('BAD_ARGUMENT', `Correlate 2 to ${MOST_CORRELATED} different measures`);
    return { measures, ...(await this.analytics.correlation(cohort, measures)) };
  }

  @ResolveField(() => [FleetFailureRate], { description: 'How many cars of each group failed; up to 15 s old.' })
  async failureRates(
    @Parent() { cohort }: FleetModel,
    @TypedArgs({ type: () => FailureArgs }) args: FailureArgs,
  ): Promise<FleetFailureRate[]> {
    presentOnly(cohort);
    const rates = await this.analytics.failureRates(cohort, args.by, windowOf(args));
    return rates.map((rate) => ({ ...rate, value: textOf(rate.value) }));
  }

  @ResolveField(() => [EpisodeTimes], {
    description: 'By kind, the time between anomalies and until they clear, of the cars that match; up to 15 s old.',
  })
  async episodeTimes(
    @Parent() { cohort }: FleetModel,
    @TypedArgs({ type: () => WindowArgs }) args: WindowArgs,
  ): Promise<EpisodeTimes[]> {
    presentOnly(cohort);
    const times = await this.analytics.episodeTimes(cohort, windowOf(args));
    return times.map((one) => ({ ...one, kind: one.kind as EpisodeKind }));
  }

  private async counts(cohort: Cohort, by: Dimension): Promise<FleetGroup[]> {
    return (await this.analytics.counts(cohort, by)).map(groupModel);
  }
}

@Resolver(() => MeasuredCar)
export class MeasuredCarResolver {
  constructor(
    @Inject(FLEET) private readonly fleet: Fleet,
    @Inject(LOADERS) private readonly loaders: Loaders,
  ) {}

  @ResolveField(() => Car, { nullable: true, description: 'The car as it is now; null where it was erased meanwhile.' })
  async car(@Parent() { id }: MeasuredCar, @CurrentViewer() viewer: Viewer): Promise<Car | null> {
    const twin = await twinFor(viewer, this.loaders, id);
    return twin && carModel(twin, this.fleet.edges());
  }

  @ResolveField(() => Float, { description: 'The measure, in its unit.' })
  value(@Parent() { value }: MeasuredCar): number {
    return value;
  }
}

/** @throws ApiError BAD_ARGUMENT */
function presentOnly({ at }: Cohort): void {
  if (at) throw new ApiError('BAD_ARGUMENT', 'Anomalies have windows of their own: leave at out');
}

/** @throws ApiError BAD_ARGUMENT */
function checkPercentiles(percentiles: readonly number[]): void {
  if (percentiles.length > MOST_PERCENTILES || percentiles.some((one) => !(one >= 0 && one <= 1)))
    throw new ApiError('BAD_ARGUMENT', `Up to ${MOST_PERCENTILES} percentiles between 0 and 1 can be asked for`);
}

/** @throws ApiError BAD_RANGE, BAD_ARGUMENT */
function windowOf({ from, to, kinds }: WindowArgs): EpisodeWindow {
  checkWindow({ from, to });
  return { from, to, kinds: kinds ?? MECHANICAL_KINDS };
}

function groupModel({ values, ...rest }: Group): FleetGroup {
  return { ...rest, values: values.map(textOf) };
}

const textOf = (value: string | number | null) => (value === null ? null : String(value));
