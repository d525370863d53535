import type { Viewer } from '../access/viewer.js';
import type { CarFilter, ScopedFilter } from '../fleet/car-filter.js';
import { isCarId } from '../telemetry/car-id.js';
import { ApiError } from './api-error.js';

/** Values that a list of a filter may have. */
const LONGEST_LIST = 500;

/**
 * What a request says of cars, with what its asker may see.
 * @throws ApiError BAD_ARGUMENT
 */
export function scopedFilter(filter: CarFilter | null | undefined, { fleets }: Viewer): ScopedFilter {
  for (const [name, value] of Object.entries(filter ?? {}))
    if (Array.isArray(value) && value.length > LONGEST_LIST)
      throw new ApiError('BAD_ARGUMENT', `${name} has more than ${LONGEST_LIST} values`);
  if (filter?.ids && !filter.ids.every(isCarId)) throw new ApiError('BAD_ARGUMENT', 'One of ids is not a car id');
  const ranges = [filter?.score, ...(filter?.signals ?? [])];
  if (ranges.some((range) => range?.min != null && range.max != null && range.min > range.max))
    throw new ApiError('BAD_RANGE', 'A range has its min above its max');
  return { ...filter, within: fleets };
}
