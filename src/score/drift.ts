import type { SignalName, Signals } from '../telemetry/signals.js';
import { sharesOf, type SignalDistribution } from './signal-distribution.js';

export const DRIFT_VERDICTS = ['STABLE', 'MOVED', 'FOREIGN'] as const;
export type DriftVerdict = (typeof DRIFT_VERDICTS)[number];

export interface SignalDrift {
  readonly signal: SignalName;
  /** Population stability index against the training window; null where too few readings carry the signal. */
  readonly psi: number | null;
  readonly verdict: DriftVerdict | null;
  /** Share of the readings that lack the signal, now and in training. */
  readonly missing: number;
  readonly trainedMissing: number;
}

export interface Drift {
  /** The firmware of these readings; null for all of them together. */
  readonly firmware: number | null;
  readonly readings: number;
  /** FOREIGN where a third of the signals are: a model that was trained on other cars. Null where there are too few readings. */
  readonly verdict: DriftVerdict | null;
  readonly signals: readonly SignalDrift[];
}

/** The customary limits of the index. */
const MOVED = 0.1;
const FOREIGN = 0.25;
/** Below this many values a bin of a tenth says nothing. */
const FEWEST = 100;
/** More firmware versions than this are not looked at one by one, the most frequent ones are. */
const FIRMWARES = 10;

/**
 * How far readings are from what a model was trained on: all of them, then by firmware, the most frequent first.
 * Source of the index: its use in credit scoring, see Yurdakul, Statistical Properties of the Population Stability Index (2018).
 */
export function driftOf(readings: readonly Signals[], trained: readonly SignalDistribution[]): Drift[] {
  const byFirmware = new Map<number, Signals[]>();
  for (const signals of readings) {
    const firmware = signals.controlUnitFirmware;
    if (firmware === null) continue;
    const group = byFirmware.get(firmware);
    if (group) group.push(signals);
    else byFirmware.set(firmware, [signals]);
  }
  const groups = [...byFirmware].toSorted(([, one], [, other]) => other.length - one.length).slice(0, FIRMWARES);
  // Within one firmware the firmware itself cannot drift.
  const rest = trained.filter(({ signal }) => signal !== 'controlUnitFirmware');
  return [
    driftOfGroup(null, readings, trained),
    ...groups.map(([firmware, group]) => driftOfGroup(firmware, group, rest)),
  ];
}

/**
 * Population stability index of shares against expected ones: the sum of (share - expected) · ln(share / expected).
 * @param count values that the shares are of: an empty bin counts as half a value, so that the index stays finite
 */
export function stabilityIndex(shares: readonly number[], expected: readonly number[], count: number): number {
  const least = 0.5 / count;
  return expected.reduce((sum, share, bin) => {
    const [was, is] = [Math.max(share, least), Math.max(shares[bin] ?? 0, least)];
    return sum + (is - was) * Math.log(is / was);
  }, 0);
}

function driftOfGroup(
  firmware: number | null,
  readings: readonly Signals[],
  trained: readonly SignalDistribution[],
): Drift {
  const signals = trained.map((one): SignalDrift => {
    const values = Float64Array.from(readings, (reading) => reading[one.signal] ?? Number.NaN);
    const { shares, missing } = sharesOf(values, one.edges);
    const count = Math.round(values.length * (1 - missing));
    // Where training knew no value at all there is nothing to compare with.
    const psi = count < FEWEST || one.missing === 1 ? null : stabilityIndex(shares, one.shares, count);
    return {
      signal: one.signal,
      psi,
      verdict: psi === null ? null : verdictOf(psi),
      missing,
      trainedMissing: one.missing,
    };
  });
  return { firmware, readings: readings.length, verdict: verdictOfAll(signals), signals };
}

function verdictOf(psi: number): DriftVerdict {
  if (psi >= FOREIGN) return 'FOREIGN';
  return psi >= MOVED ? 'MOVED' : 'STABLE';
}

function verdictOfAll(signals: readonly SignalDrift[]): DriftVerdict | null {
  const verdicts = signals.flatMap(({ verdict }) => (verdict === null ? [] : [verdict]));
  if (verdicts.length === 0) return null;
  if (verdicts.filter((one) => one === 'FOREIGN').length * 3 >= verdicts.length) return 'FOREIGN';
  return verdicts.every((one) => one === 'STABLE') ? 'STABLE' : 'MOVED';
}
