import type { Document } from 'mongodb';
import { COVERAGE } from './coverage.js';
import {
  EPISODE_TIMES,
  type EpisodeWindow,
  EXTREMES,
  FAILED,
  GROUPS,
  HISTOGRAM,
  MEANS,
  MOMENTS,
  PRODUCTS,
  SPREAD,
} from './pipelines.js';
import { CARS_AT } from './source.js';
import { FLEET_COUNTS } from './summary.js';
import { MEANS_IN_READINGS, MEANS_IN_ROLLUPS } from './window-source.js';

/** An aggregation with example arguments, and the collection it begins at. */
export interface Question {
  readonly on: 'twins' | 'anomalies' | 'readings' | 'rollupsHour';
  readonly stages: Document[];
}

const EDGES = { stale: new Date(60_000), offline: new Date(0) };
const DAY = { from: new Date(0), to: new Date(86_400_000) };
const TIRES: EpisodeWindow = { ...DAY, kinds: ['TIRE'] };

/** Every aggregation, for mongosh, Compass and BI tools: docs/analytics.md is checked against it. */
export const QUESTIONS = {
  FLEET_COUNTS: { on: 'twins', stages: FLEET_COUNTS(EDGES) },
  COVERAGE: { on: 'twins', stages: COVERAGE(['speed'], EDGES) },
  GROUPS: { on: 'twins', stages: GROUPS(['FIRMWARE', 'STATUS'], 'SCORE', [0.5, 0.95], EDGES) },
  SPREAD: { on: 'twins', stages: SPREAD('speed', EDGES) },
  HISTOGRAM: { on: 'twins', stages: HISTOGRAM('speed', 0, 5, 10) },
  EXTREMES: { on: 'twins', stages: EXTREMES('tirePressure11', 1, 10) },
  MEANS: { on: 'twins', stages: MEANS(['speed', 'coolantTemp']) },
  PRODUCTS: { on: 'twins', stages: PRODUCTS(['speed', 'coolantTemp'], [20, 60], [32, 64]) },
  MOMENTS: { on: 'twins', stages: MOMENTS(['speed'], EDGES) },
  CARS_AT: { on: 'readings', stages: CARS_AT(new Date(86_400_000)) },
  MEANS_IN_READINGS: { on: 'readings', stages: MEANS_IN_READINGS(DAY, ['speed', 'SCORE']) },
  MEANS_IN_ROLLUPS: {
    on: 'rollupsHour',
    stages: MEANS_IN_ROLLUPS([{ at: new Date(0), run: 'RUN' }], ['speed']),
  },
  FAILED: { on: 'anomalies', stages: FAILED('FIRMWARE', TIRES, {}, {}) },
  EPISODE_TIMES: { on: 'anomalies', stages: EPISODE_TIMES(TIRES, {}, {}) },
} as const satisfies Readonly<Record<string, Question>>;

/** An aggregation as mongosh takes it. */
export function inShell({ on, stages }: Question): string {
  return `db.${on}.aggregate(${shellValue(stages)})`;
}

function shellValue(value: unknown): string {
  if (value instanceof Date) return `ISODate(${JSON.stringify(value)})`;
  if (Array.isArray(value)) return `[${value.map(shellValue).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return `{${fields.map(([name, inner]) => `${JSON.stringify(name)}:${shellValue(inner)}`).join(',')}}`;
}
