import { Int } from '@nestjs/graphql';
import { seesFleet } from '../../access/scope.js';
import type { Viewer } from '../../access/viewer.js';
import { isCarId } from '../../telemetry/car-id.js';
import type { MayChange } from '../../twin/change-transaction.js';
import { ApiError, type ApiErrorCode } from '../api-error.js';
import type { Loaders } from '../loaders.js';
import { requireRole } from '../require-role.js';
import { twinFor } from '../seen-by.js';
import { plainValues, type ValuesCheck } from './plain-values.js';

/** The argument of changes that may want a version. */
export const IF_VERSION = {
  name: 'ifVersion',
  type: () => Int,
  nullable: true,
  description: 'Only in place of this version (a number), 0 for none; whatever is there without it.',
};

/** The answer to who may not know of a car, as to who asks for one that there is not. */
export const noSuchCar = () => new ApiError('NOT_FOUND', 'There is no such car');

/** @throws ApiError FORBIDDEN, BAD_ARGUMENT before MongoDB is asked */
export function checkCarToChange(viewer: Viewer, car: string): void {
  requireRole(viewer, 'operator');
  if (!isCarId(car)) throw new ApiError('BAD_ARGUMENT', 'That is not a car id');
}

/**
 * A car that nobody has seen yet can be changed by who sees every car; others change what they see.
 * @returns the same question for the transaction
 * @throws ApiError NOT_FOUND
 */
export async function mayChangeCar(viewer: Viewer, loaders: Loaders, car: string): Promise<MayChange> {
  if (viewer.fleets !== null && !(await twinFor(viewer, loaders, car))) throw noSuchCar();
  return (fleet) => seesFleet(viewer, fleet);
}

/**
 * @param what the values are, for the message
 * @throws ApiError of that code, with what is wrong where
 */
export function checkValues(values: unknown, check: ValuesCheck, code: ApiErrorCode, what: string): void {
  const fault = plainValues(values) ?? check(values);
  if (fault !== null) throw new ApiError(code, `${what} are not valid, ${fault}`);
}
