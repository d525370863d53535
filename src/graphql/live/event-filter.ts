import { seesFleet, type Scope } from '../../access/scope.js';
import { isCarId } from '../../telemetry/car-id.js';
import type { EpisodeEventDocument } from '../../twin/documents.js';
import { ApiError } from '../api-error.js';
import type { AnomalyEventFilterInput } from '../live.args.js';
import type { Interest } from './fan-out.js';

/** Values that a list of a filter may have. */
const LONGEST_LIST = 500;

/**
 * What a request says of events, with what its asker may see.
 * @throws ApiError BAD_ARGUMENT
 */
export function eventInterest(
  filter: Readonly<AnomalyEventFilterInput>,
  { fleets }: Scope,
): Interest<EpisodeEventDocument> {
  const { car, cars, fleet, kind, severity, event: types, snoozed, minRatio } = filter;
  for (const [name, value] of Object.entries(filter))
    if (Array.isArray(value) && value.length > LONGEST_LIST)
      throw new ApiError('BAD_ARGUMENT', `${name} has more than ${LONGEST_LIST} values`);
  const mine = idsOf(car, cars);
  if (mine && !mine.every(isCarId)) throw new ApiError('BAD_ARGUMENT', 'That is not a car id');
  const ids = mine && new Set(mine);
  const matches = (event: EpisodeEventDocument) =>
    seesFleet({ fleets }, event.fleet) &&
    (!ids || ids.has(event.car)) &&
    (!fleet || (event.fleet !== undefined && fleet.includes(event.fleet))) &&
    (!kind || kind.includes(event.kind)) &&
    (!severity || severity.includes(event.severity)) &&
    (!types || types.includes(event.event)) &&
    (minRatio == null || event.ratio >= minRatio) &&
    (snoozed == null || snoozed === (event.snoozedUntil !== undefined));
  const name = JSON.stringify([fleets, mine, fleet, kind, severity, types, snoozed, minRatio]);
  return { name, cars: mine, matches };
}

/** Both conditions add up. */
function idsOf(car: string | null | undefined, cars: readonly string[] | null | undefined): readonly string[] | null {
  if (car == null) return cars ?? null;
  return !cars || cars.includes(car) ? [car] : [];
}
