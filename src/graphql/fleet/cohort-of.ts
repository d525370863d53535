import type { Viewer } from '../../access/viewer.js';
import { type Cohort, LOOK_BACK, type TimeWindow } from '../../fleet/source.js';
import { ApiError } from '../api-error.js';
import type { CarFilterInput } from '../car.args.js';
import { checkRange } from '../keyset.js';
import { scopedFilter } from '../scoped-filter.js';

const LONGEST_WINDOW = 366 * 86_400_000;
/** The last instant of the last year that every server has, ms. */
const LATEST = Date.parse('9999-12-31T23:59:59.999Z');

export interface CohortArgs {
  readonly filter?: CarFilterInput | null;
  readonly at?: Date | null;
}

/**
 * @param keptSince readings before this are not kept, ms; null where all are
 * @throws ApiError BAD_ARGUMENT for a filter that the past does not know, BEFORE_RETENTION
 */
export function cohortOf({ filter, at }: CohortArgs, viewer: Viewer, keptSince: number | null): Cohort {
  const scoped = scopedFilter(filter, viewer);
  if (at) checkYears(at, new Date(at.getTime() + 1));
  if (at && (scoped.status || scoped.openKind || scoped.freshness))
    throw new ApiError('BAD_ARGUMENT', 'Status, freshness and open anomalies of all cars are not known in the past');
  if (at && keptSince !== null && at.getTime() - LOOK_BACK < keptSince)
    throw new ApiError('BEFORE_RETENTION', 'The readings of then are no longer kept');
  return { filter: scoped, at: at ?? null };
}

/** @throws ApiError BAD_RANGE, BAD_ARGUMENT */
export function checkWindow({ from, to }: TimeWindow): void {
  checkRange({ from, to });
  checkYears(from, to);
  if (to.getTime() - from.getTime() > LONGEST_WINDOW) throw new ApiError('BAD_ARGUMENT', 'A window has at most a year');
}

/** Nothing is dated outside of these years. @throws ApiError BAD_ARGUMENT */
export function checkYears(from: Date, to: Date): void {
  if (from.getTime() < 0 || to.getTime() > LATEST)
    throw new ApiError('BAD_ARGUMENT', 'Readings are of the years 1970 to 9999');
}
