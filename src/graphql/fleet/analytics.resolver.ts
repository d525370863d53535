import { Inject } from '@nestjs/common';
import { Float, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import type { Viewer } from '../../access/viewer.js';
import type { FleetAnalytics } from '../../fleet/analytics.js';
import { filterKey } from '../../fleet/car-filter.js';
import type { Groups } from '../../fleet/answers.js';
import type { FleetFailures } from '../../fleet/failures.js';
import type { Fleet } from '../../fleet/fleet.js';
import { ANALYTICS, FAILURES, FLEET } from '../../fleet/fleet.module.js';
import { SameTime } from '../../fleet/joint-answer.js';
import type { Measure } from '../../fleet/measure.js';
import type { AskedWindow, Dimension } from '../../fleet/pipelines.js';
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
  FleetCorrelation,
  FleetDistribution,
  FleetEpisodeTimes,
  FleetExtremes,
  FleetFailureRates,
  FleetGroups,
  FleetMeasure,
  MeasuredCar,
} from './analytics.model.js';

const MOST_PERCENTILES = 10;
const MOST_BINS = 1_000;
const MOST_CORRELATED = 8;

@Resolver(() => FleetModel)
export class FleetAnalyticsResolver {
  private readonly sameTime = new SameTime();

  constructor(
    @Inject(ANALYTICS) private readonly analytics: FleetAnalytics,
    @Inject(FAILURES) private readonly failures: FleetFailures,
  ) {}

  @ResolveField(() => FleetGroups, { description: 'Cars by firmware; up to 15 s old.' })
  byFirmware(@Parent() { cohort }: FleetModel): Promise<FleetGroups> {
    return this.counts(cohort, 'FIRMWARE');
  }

  @ResolveField(() => FleetGroups, { description: 'Cars by model; up to 15 s old.' })
  byModel(@Parent() { cohort }: FleetModel): Promise<FleetGroups> {
    return this.counts(cohort, 'MODEL');
  }

  @ResolveField(() => FleetGroups, { description: 'Cars by fleet; up to 15 s old.' })
  byFleet(@Parent() { cohort }: FleetModel): Promise<FleetGroups> {
    return this.counts(cohort, 'FLEET');
  }

  @ResolveField(() => FleetGroups, { description: 'Cars by one or two dimensions, read now.' })
  async groupBy(
    @Parent() { cohort }: FleetModel,
    @TypedArgs({ type: () => GroupArgs }) { by, measure, percentiles }: GroupArgs,
  ): Promise<FleetGroups> {
    if (by.length < 1 || by.length > 2 || new Set(by).size < by.length)
      throw new ApiError('BAD_ARGUMENT', 'Group by one or two different dimensions');
    checkPercentiles(percentiles);
    const read = () => this.analytics.groups(cohort, by, measure ?? null, measure ? percentiles : []);
    return groupsModel(await this.together(cohort, [by, measure, percentiles], read));
  }

  @ResolveField(() => FleetDistribution, { description: 'How a measure spreads over the cars; up to 15 s old.' })
  distribution(
    @Parent() { cohort }: FleetModel,
    @TypedArgs({ type: () => DistributionArgs }) { measure, percentiles, bins }: DistributionArgs,
  ): Promise<FleetDistribution> {
    checkPercentiles(percentiles);
    if (bins < 1 || bins > MOST_BINS) throw new ApiError('BAD_ARGUMENT', `bins lies between 1 and ${MOST_BINS}`);
    return this.analytics.distribution(cohort, measure, percentiles, bins);
  }

  @ResolveField(() => FleetExtremes, { description: 'The cars with the highest or lowest values; up to 15 s old.' })
  extremes(
    @Parent() { cohort }: FleetModel,
    @TypedArgs({ type: () => ExtremesArgs }) { measure, first, lowest }: ExtremesArgs,
  ): Promise<FleetExtremes> {
    return this.analytics.extremes(cohort, measure, lowest, pageSize(first));
  }

  @ResolveField(() => FleetCorrelation, { description: 'How measures go together, read now.' })
  correlation(
    @Parent() { cohort }: FleetModel,
    @TypedArgs({ name: 'measures', type: () => [FleetMeasure], description: '2 to 8 different measures.' })
    measures: Measure[],
  ): Promise<FleetCorrelation> {
    if (measures.length < 2 || measures.length > MOST_CORRELATED || new Set(measures).size < measures.length)
      throw new ApiError('BAD_ARGUMENT', `Correlate 2 to ${MOST_CORRELATED} different measures`);
    return this.together(cohort, [measures], () => this.analytics.correlation(cohort, measures));
  }

  @ResolveField(() => FleetFailureRates, { description: 'How many cars of each group failed; up to 30 s old.' })
  async failureRates(
    @Parent() { cohort }: FleetModel,
    @TypedArgs({ type: () => FailureArgs }) args: FailureArgs,
  ): Promise<FleetFailureRates> {
    presentOnly(cohort);
    const rates = await this.failures.rates(cohort.filter, args.by, windowOf(args));
    return { ...rates, groups: rates.groups.map((one) => ({ ...one, value: textOf(one.value) })) };
  }

  @ResolveField(() => FleetEpisodeTimes, {
    description: 'By kind, the time between anomalies and until they clear, of the cars that match; up to 30 s old.',
  })
  async episodeTimes(
    @Parent() { cohort }: FleetModel,
    @TypedArgs({ type: () => WindowArgs }) args: WindowArgs,
  ): Promise<FleetEpisodeTimes> {
    presentOnly(cohort);
    const times = await this.failures.times(cohort.filter, windowOf(args));
    return { ...times, kinds: times.kinds.map((one) => ({ ...one, kind: one.kind as EpisodeKind })) };
  }

  /** What subscribers ask at each tick is read once for all of them. */
  private together<T>({ filter, at }: Cohort, asked: readonly unknown[], read: () => Promise<T>): Promise<T> {
    return this.sameTime.get(JSON.stringify([filterKey(filter), at, asked]), read);
  }

  private async counts(cohort: Cohort, by: Dimension): Promise<FleetGroups> {
    return groupsModel(await this.analytics.counts(cohort, by));
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
function windowOf({ from = null, to = null, last = null, kinds }: WindowArgs): AskedWindow {
  const some = { kinds: kinds ?? MECHANICAL_KINDS };
  if (last !== null && !from && !to) {
    checkWindow({ from: new Date(0), to: new Date(last) });
    return { last, ...some };
  }
  if (last !== null || !from || !to) throw new ApiError('BAD_ARGUMENT', 'A window is from and to, or last');
  checkWindow({ from, to });
  return { from, to, ...some };
}

function groupsModel({ groups, ...rest }: Groups): FleetGroups {
  return { ...rest, groups: groups.map(({ values, ...one }) => ({ ...one, values: values.map(textOf) })) };
}

const textOf = (value: string | number | null) => (value === null ? null : String(value));
