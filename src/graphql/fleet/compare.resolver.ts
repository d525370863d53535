import { Inject } from '@nestjs/common';
import { Query, Resolver } from '@nestjs/graphql';
import type { Viewer } from '../../access/viewer.js';
import type { ComparedCohort, Comparison } from '../../fleet/comparison.js';
import { ApiError } from '../api-error.js';
import { CurrentViewer } from '../current-viewer.js';
import { TypedArgs } from '../typed-args.js';
import { checkWindow, cohortOf } from './cohort-of.js';
import { type CohortInput, CompareArgs } from './compare.args.js';
import { FleetComparison } from './compare.model.js';

/** Token of the `Comparison`. */
export const COMPARISON = Symbol('Comparison');

@Resolver()
export class CompareResolver {
  constructor(@Inject(COMPARISON) private readonly comparison: Comparison) {}

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
    const [one, other] = [comparedCohort(left, viewer), comparedCohort(right, viewer)];
    const { coverage, measures: found } = await this.comparison.compare(one, other, measures);
    return {
      coverage,
      cars: coverage.map(({ cars }) => cars),
      measures: found.map(({ difference, ...rest }) => {
        const [low, high] = difference?.interval ?? [null, null];
        return { ...rest, difference: difference?.value ?? null, low, high };
      }),
    };
  }
}

/** @throws ApiError BAD_ARGUMENT, BAD_RANGE */
function comparedCohort({ window, ...cohort }: CohortInput, viewer: Viewer): ComparedCohort {
  if (!window) return { ...cohortOf(cohort, viewer), window: null };
  if (cohort.at) throw new ApiError('BAD_ARGUMENT', 'A cohort is at an instant or over a window, not both');
  checkWindow(window);
  return { ...cohortOf(cohort, viewer), window };
}
