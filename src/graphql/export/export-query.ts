import { isCarId } from '../../telemetry/car-id.js';
import { SIGNAL_NAMES, type SignalName } from '../../telemetry/signals.js';
import { ApiError } from '../api-error.js';
import { checkRange } from '../keyset.js';
import { nearestName } from '../nearest-name.js';
import { DateTime } from '../scalars.js';
import { type ExportPlace, exportPlace } from './export-cursor.js';

/** Which readings are to go out. */
export interface ExportQuery {
  /** All when null. */
  readonly cars: readonly string[] | null;
  readonly fleets: readonly string[] | null;
  /** Included */
  readonly from: Date | null;
  /** Not included */
  readonly to: Date | null;
  /** All when null. */
  readonly signals: readonly SignalName[] | null;
  readonly after: ExportPlace | null;
}

const KNOWN = ['car', 'fleet', 'from', 'to', 'signals', 'after'];
/** Values of a parameter that can be repeated. */
const MOST_VALUES = 500;

/**
 * @param parameters of the address: a text, or a list of texts where one is repeated
 * @throws ApiError BAD_ARGUMENT, BAD_RANGE, BAD_CURSOR, UNKNOWN_SIGNAL
 */
export function exportQuery(parameters: Readonly<Record<string, unknown>>): ExportQuery {
  const unknown = Object.keys(parameters).find((name) => !KNOWN.includes(name));
  if (unknown !== undefined)
    throw new ApiError('BAD_ARGUMENT', `There is no such parameter; there are ${KNOWN.join(', ')}`);
  const cars = many(parameters['car'], 'car');
  if (cars && !cars.every(isCarId)) throw new ApiError('BAD_ARGUMENT', 'car is not a car id');
  const fleets = many(parameters['fleet'], 'fleet');
  const range = { from: instant(parameters['from'], 'from'), to: instant(parameters['to'], 'to') };
  checkRange(range);
  const signals = many(parameters['signals'], 'signals')?.flatMap((list) => list.split(','));
  const after = one(parameters['after'], 'after');
  return {
    cars,
    fleets,
    ...range,
    signals: signals ? signals.map(signalOf) : null,
    after: after === null ? null : exportPlace(after),
  };
}

function many(value: unknown, name: string): string[] | null {
  if (value === undefined) return null;
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (!list.every((each): each is string => typeof each === 'string' && each !== ''))
    throw new ApiError('BAD_ARGUMENT', `${name} is empty`);
  if (list.length > MOST_VALUES) throw new ApiError('BAD_ARGUMENT', `${name} has more than ${MOST_VALUES} values`);
  return list;
}

function one(value: unknown, name: string): string | null {
  const list = many(value, name);
  if (list && list.length > 1) throw new ApiError('BAD_ARGUMENT', `${name} is given more than once`);
  return list?.[0] ?? null;
}

function instant(value: unknown, name: string): Date | null {
  const text = one(value, name);
  if (text === null) return null;
  try {
    return DateTime.parseValue(text);
  } catch (error) {
    throw new ApiError('BAD_ARGUMENT', `${name}: ${(error as Error).message}`);
  }
}

function signalOf(text: string): SignalName {
  const found = SIGNAL_NAMES.find((name) => name === text);
  if (found) return found;
  const nearest = nearestName(text, SIGNAL_NAMES);
  throw new ApiError('UNKNOWN_SIGNAL', `There is no such signal; the nearest is ${nearest}`);
}
