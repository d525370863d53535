import { SUBTLE } from './simulated-cars.js';
import type { FaultRow, HealthyRow } from './report.js';
import type { Interval } from './intervals.js';

/** One thing that is wanted of a model on simulated cars, and whether it is so. */
export interface TargetCheck {
  readonly cars: string;
  readonly strength: string;
  readonly measure: string;
  readonly wanted: number;
  /** Whether no more than this is wanted; otherwise no less. */
  readonly atMost: boolean;
  readonly measured: number;
  readonly measured95: Interval;
  readonly met: boolean;
}

type Wanted = readonly [cars: string, strength: string, auc: number | null, recall: number];

const FAULTS: readonly Wanted[] = [
  ['tire', 'full', 0.998, 0.985],
  ['tire', subtle('tire'), null, 0.95],
  ['shock', 'full', 0.997, 0.985],
  ['shock', subtle('shock'), null, 0.95],
  ['driveShaft', 'full', 0.9995, 0.998],
  ['overheating', 'full', 0.9995, 0.998],
  ['battery', 'full', null, 0.9],
  ['firmware', 'full', null, 0.999],
  ['two at once', 'full', 0.9995, 0.998],
  ['any mechanical', 'any', 0.999, 0.99],
];

/** Share of normal readings flagged, and false episodes per 1,000 car-hours; null where none is wanted. */
const CALM: readonly (readonly [cars: string, flagged: number, episodes: number | null])[] = [
  ['of all ages and styles', 0.001, 6],
  ['new, as in the plain formulas', 0.001, 6],
  ['at -30 °C', 0.02, null],
  // For a model that was recalibrated on such cars.
  ['sensors with 1 % noise', 0.02, null],
];

/** What is wanted, as measured. Cars that were not judged are left out. */
export function checkTargets(healthy: readonly HealthyRow[], faults: readonly FaultRow[]): TargetCheck[] {
  const found = FAULTS.flatMap(([cars, strength, auc, recall]) => {
    const row = faults.find((one) => one.cars === cars && one.strength === strength);
    if (!row) return [];
    const common = { cars, strength };
    const atLeast = (measure: string, wanted: number, measured: number, measured95: Interval): TargetCheck => {
      return { ...common, measure, wanted, atMost: false, measured, measured95, met: measured >= wanted };
    };
    return [
      ...(auc === null ? [] : [atLeast('ROC-AUC', auc, row.rocAuc, row.rocAuc95)]),
      atLeast('recall at 0.1 % false positives', recall, row.recallAt01Percent, row.recallAt01Percent95),
    ];
  });
  return [...found, ...CALM.flatMap((wanted) => calmChecks(wanted, healthy))];
}

function calmChecks([cars, flagged, episodes]: (typeof CALM)[number], healthy: readonly HealthyRow[]): TargetCheck[] {
  const row = healthy.find((one) => one.cars === cars);
  if (!row) return [];
  const atMost = (measure: string, wanted: number, measured: number, measured95: Interval): TargetCheck => {
    return { cars, strength: 'healthy', measure, wanted, atMost: true, measured, measured95, met: measured <= wanted };
  };
  const { falseEpisodesPer1000CarHours: rate, falseEpisodesPer1000CarHours95: rate95 } = row;
  return [
    atMost('flagged', flagged, row.flagged, row.flagged95),
    ...(episodes === null ? [] : [atMost('false episodes per 1,000 car-hours', episodes, rate, rate95)]),
  ];
}

function subtle(fault: keyof typeof SUBTLE): string {
  return `subtle (${SUBTLE[fault]})`;
}
