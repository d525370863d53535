import { isDeepStrictEqual } from 'node:util';
import { SIGNAL_NAMES, type SignalName, type Signals } from '../../telemetry/signals.js';
import type { DesiredValues } from '../../twin/car-documents.js';

export interface Difference {
  readonly name: string;
  readonly desired: unknown;
  /** null where nothing is known */
  readonly reported: unknown;
}

const SIGNALS: ReadonlySet<string> = new Set(SIGNAL_NAMES);

/**
 * The desired values that are not as they are to be. A signal is as the car reports it, whatever it said that it accepts; any
 * other value is as the car last accepted it.
 */
export function deltaOf(
  desired: DesiredValues,
  accepted: DesiredValues | null | undefined,
  signals: Signals | null,
): Difference[] {
  return Object.entries(desired).flatMap(([name, wanted]) => {
    const said = accepted && Object.hasOwn(accepted, name) ? accepted[name] : null;
    const reported = SIGNALS.has(name) ? (signals?.[name as SignalName] ?? null) : said;
    return isDeepStrictEqual(wanted, reported) ? [] : [{ name, desired: wanted, reported }];
  });
}
