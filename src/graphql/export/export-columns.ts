import type { Role, Viewer } from '../../access/viewer.js';
import { SIGNALS, type SignalName } from '../../telemetry/signals.js';
import type { ReadingDocument } from '../../twin/documents.js';
import { ApiError } from '../api-error.js';
import { timedCursorOf } from './export-cursor.js';
import type { ExportQuery } from './export-query.js';

export type Cell = string | number | boolean | Date | null;

/** A column of an export: the same in every format. */
export interface ExportColumn {
  readonly name: string;
  readonly kind: 'text' | 'number' | 'boolean' | 'time';
  /** Empty where there is none. */
  readonly unit: string;
  readonly meaning: string;
  /** Whether every row has it. */
  readonly always: boolean;
  /** `Type.field` of the schema that it shows: whoever does not see one of them does not see the column. */
  readonly shows: readonly string[];
  value(row: ReadingDocument): Cell;
}

type Masked = Readonly<Partial<Record<Role, ReadonlySet<string>>>>;

/** What every cursor holds and every export shows. */
const NEEDED = ['Car.history', 'Reading.id', 'Reading.carId', 'Reading.at'];

function column(
  [name, kind, unit, meaning]: readonly [string, ExportColumn['kind'], string, string],
  shows: readonly string[],
  value: ExportColumn['value'],
  always = false,
): ExportColumn {
  return { name, kind, unit, meaning, always, shows, value };
}

const BEFORE_SIGNALS: readonly ExportColumn[] = [
  column(['cursor', 'text', '', 'Where to go on behind this row'], [], timedCursorOf, true),
  column(
    ['id', 'text', '', 'topic/incarnation/partition/offset of the record'],
    ['Reading.id'],
    (row) => row._id,
    true,
  ),
  column(['car', 'text', '', 'Id of the car'], ['Reading.carId'], (row) => row.car, true),
  column(['at', 'time', 'UTC', 'When the car measured'], ['Reading.at'], (row) => row.at, true),
  column(
    ['receivedAt', 'time', 'UTC', 'Time of the Kafka record'],
    ['Reading.receivedAt'],
    (row) => row.receivedAt,
    true,
  ),
];

const score = (field: string) => ['Reading.score', `Score.${field}`];
const BEHIND_SIGNALS: readonly ExportColumn[] = [
  column(['score', 'number', '', 'The score'], score('value'), ({ score: one }) => one?.value ?? null),
  column(
    ['threshold', 'number', '', 'Above it the score is anomalous'],
    score('threshold'),
    ({ score: one }) => one?.threshold ?? null,
  ),
  column(['ratio', 'number', '', 'score / threshold'], score('ratio'), ({ score: one }) =>
    one ? one.value / one.threshold : null,
  ),
  column(
    ['anomalous', 'boolean', '', 'Whether the score lies above the threshold'],
    score('anomalous'),
    ({ score: one }) => one?.anomalous ?? null,
  ),
  column(['model', 'text', '', 'The model that scored'], score('model'), ({ score: one }) => one?.model ?? null),
  column(['unscored', 'text', '', 'Why there is no score'], ['Reading.unscored'], (row) => row.unscored ?? null),
  column(
    ['failureOccurred', 'boolean', '', 'The label, as sent'],
    ['Reading.failureOccurred'],
    (row) => row.label ?? null,
  ),
  column(
    ['late', 'boolean', '', 'Whether it arrived after a newer one'],
    ['Reading.late'],
    (row) => row.late ?? false,
    true,
  ),
  column(
    ['skewedAt', 'time', 'UTC', 'The time that the car sent, where that lay too far ahead'],
    ['Reading.skewedAt'],
    (row) => row.skewedAt ?? null,
  ),
];

const SIGNAL_COLUMNS = SIGNALS.map(({ name, unit, title }) =>
  column(
    [name, 'number', unit.replaceAll(/[()]/g, ''), title],
    ['Reading.signals', `Signals.${name}`],
    ({ signals }) => signals[name] ?? null,
  ),
);

/**
 * The columns that a viewer sees of those that are asked for; what is masked is left out unless it is asked for by name.
 * @throws ApiError FORBIDDEN
 */
export function columnsFor(
  { role }: Pick<Viewer, 'role'>,
  masked: Masked,
  { signals, fleets }: Pick<ExportQuery, 'signals' | 'fleets'>,
): ExportColumn[] {
  const hidden = masked[role] ?? new Set<string>();
  const named = signals?.map((name) => `Signals.${name}`) ?? [];
  const filtered = fleets === null ? [] : ['CarAttributes.fleet'];
  const refused = [...NEEDED, ...named, ...filtered].find((field) => hidden.has(field));
  if (refused !== undefined) throw new ApiError('FORBIDDEN', `The role ${role} does not see ${refused}`);
  const wanted = SIGNAL_COLUMNS.filter(({ name }) => signals?.includes(name as SignalName) ?? true);
  const all = [...BEFORE_SIGNALS, ...wanted, ...BEHIND_SIGNALS];
  return all.filter(({ shows }) => !shows.some((field) => hidden.has(field)));
}
