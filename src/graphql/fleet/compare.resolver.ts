import { Inject } from '@nestjs/common';
import { Query, Resolver } from '@nestjs/graphql';
import type { Viewer } from '../../access/viewer.js';
import type { ComparedCohort, Comparison } from '../../fleet/comparison.js';
import { BeforeRetention } from '../../fleet/source.js';
import { ApiError } from '../api-error.js';
import { CurrentViewer } from '../current-viewer.js';
import { keptSince, PAST_TOOLS, type PastTools } from '../time-travel/past-car.js';
import { TypedArgs } from '../typed-args.js';
import { checkWindow, cohortOf } from './cohort-of.js';
import { type CohortInput, CompareArgs } from './compare.args.js';
import { FleetComparison } from './compare.model.js';

/** Token of the `Comparison`. */
export const COMPARISON = Symbol('Comparison');

@Resolver()
export class CompareResolver {
  constructor(
    @Inject(COMPARISON) private readonly comparison: Comparison,
    @Inject(PAST_TOOLS) private readonly past: PastTools,
  ) {}

  @Query(() => FleetComparison, {
    description:
      'Two cohorts of cars, or one at two instants or over two windows of time, beside each other; read now.',
  })
  async compareFleets(
    @TypedArgs({ type: () => CompareArgs }) { left, right, measures }: CompareArgs,
    @CurrentViewer() viewer: Viewer,
  ): Promise<FleetComparison> {
    if (measures.length < 1 || new Set(measures).size < measures.length)
      throw new ApiError('BAD_ARGUMENT', 'Compare one or more different measures');
    const [one, other] = [this.cohort(left, viewer), this.cohort(right, viewer)];
    const { coverage, measures: found } = await this.comparison.compare(one, other, measures).catch(told);
    return {
      coverage,
      measures: found.map(({ difference, ...rest }) => {
        const [low, high] = difference?.interval ?? [null, null];
        return { ...rest, difference: difference?.value ?? null, low, high };
      }),
    };
  }

  /** @throws ApiError BAD_ARGUMENT, BAD_RANGE, BEFORE_RETENTION */
  private cohort({ window, ...cohort }: CohortInput, viewer: Viewer): ComparedCohort {
    if (window && cohort.at) throw new ApiError('BAD_ARGUMENT', 'A cohort is at an instant or over a window, not both');
    if (window) checkWindow(window);
    return { ...cohortOf(cohort, viewer, keptSince(this.past)), window: window ?? null };
  }
}

function told(fault: unknown): never {
  throw fault instanceof BeforeRetention ? new ApiError('BEFORE_RETENTION', fault.message, { cause: fault }) : fault;
}
