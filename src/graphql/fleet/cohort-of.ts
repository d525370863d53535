import type { Viewer } from '../../access/viewer.js';
import type { Cohort, TimeWindow } from '../../fleet/source.js';
import { ApiError } from '../api-error.js';
import type { CarFilterInput } from '../car.args.js';
import { checkRange } from '../keyset.js';
import { scopedFilter } from '../scoped-filter.js';

const LONGEST_WINDOW = 366 * 86_400_000;

export interface CohortArgs {
  readonly filter?: CarFilterInput | null;
  readonly at?: Date | null;
}

/** @throws ApiError BAD_ARGUMENT for a filter that the past does not know */
export function cohortOf({ filter, at }: CohortArgs, viewer: Viewer): Cohort {
  const scoped = scopedFilter(filter, viewer);
  if (at && (scoped.status || scoped.openKind || scoped.freshness))
    throw new ApiError('BAD_ARGUMENT', 'Status, freshness and open anomalies of all cars are not known in the past');
  return { filter: scoped, at: at ?? null };
}

/** @throws ApiError BAD_RANGE, BAD_ARGUMENT */
export function checkWindow({ from, to }: TimeWindow): void {
  checkRange({ from, to });
  if (to.getTime() - from.getTime() > LONGEST_WINDOW) throw new ApiError('BAD_ARGUMENT', 'A window has at most a year');
}
