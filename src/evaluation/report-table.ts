import type { Interval } from './intervals.js';
import type { Comparison, FaultRow, HealthyRow, Report } from './report.js';
import type { TargetCheck } from './targets.js';

/** Titles and rows of one table, for a terminal and for a page alike. */
export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The report as Markdown, which is also a table for a terminal. */
export function reportTable(report: Comparison): string {
  const { model, threshold, source } = report;
  const blocks = tablesOf(report).map(({ title, head, rows }) => `${title}\n\n${markdown(head, rows)}`);
  return [`${model}, threshold ${threshold.toFixed(3)}, ${source}`, ...blocks].join('\n\n');
}

/** Every table that has rows, in the order of reading. */
export function tablesOf(report: Comparison): Table[] {
  return [healthyTable(report.healthy), faultTable(report.faults), targetTable(report.targets), ...sideBySide(report)]
    .concat(unscoredTable(report))
    .filter(({ rows }) => rows.length > 0);
}

function healthyTable(healthy: readonly HealthyRow[]): Table {
  const rows = healthy.map((row) => [
    row.cars,
    String(row.readings),
    `${percent(row.flagged)} (${row.flagged95.map(percent).join('..')})`,
    row.carHours.toFixed(0),
    `${row.falseEpisodesPer1000CarHours.toFixed(1)} ${between(row.falseEpisodesPer1000CarHours95, 1)}`,
  ]);
  const head = ['cars', 'readings', 'flagged (95 %)', 'car-hours', 'false episodes per 1,000 car-hours (95 %)'];
  return { title: 'Healthy cars', head, rows };
}

function faultTable(faults: readonly FaultRow[]): Table {
  const rows = faults.map((row) => [
    row.cars,
    row.strength,
    `${row.rocAuc.toFixed(4)} ${between(row.rocAuc95, 4)}`,
    row.prAuc.toFixed(4),
    `${row.recallAt01Percent.toFixed(4)} ${between(row.recallAt01Percent95, 4)}`,
    row.recallAt1Percent.toFixed(4),
    row.flagged.toFixed(4),
    `${row.delay.median ?? '-'} / ${row.delay.p95 ?? '-'}`,
    blame(row.blamed),
  ]);
  const recall = ['recall at 0.1 % (95 %)', 'at 1 %', 'flagged'];
  const head = ['fault', 'strength', 'ROC-AUC (95 %)', 'PR-AUC', ...recall, 'delay p50/p95', 'blamed'];
  return { title: 'Failing cars', head, rows };
}

function targetTable(targets: readonly TargetCheck[]): Table {
  const rows = targets.map(({ cars, strength, measure, wanted, atMost, measured, measured95, met }) => [
    cars,
    strength,
    measure,
    `${atMost ? '≤' : '≥'} ${wanted}`,
    `${rounded(measured)} (${measured95.map(rounded).join('..')})`,
    met ? 'met' : 'MISSED',
  ]);
  const head = ['cars', 'strength', 'measure', 'wanted', 'measured (95 %)', 'target'];
  return { title: `Targets: ${targets.filter(({ met }) => met).length} of ${targets.length} met`, head, rows };
}

/** One row for each kind of cars, one column for each model. */
function sideBySide(report: Comparison): Table[] {
  if (report.against.length === 0) return [];
  const reports: readonly Report[] = [report, ...report.against];
  const names = [
    report.model,
    ...report.against.map(({ name, model }) => (model.startsWith(`${name}@`) ? model : `${name}: ${model}`)),
  ];
  const faults = report.faults.map((row, at) => [
    row.cars,
    row.strength,
    ...reports.map(({ faults: [...all] }) => {
      const one = all[at];
      return one ? `${one.rocAuc.toFixed(4)} / ${one.recallAt01Percent.toFixed(4)} / ${one.flagged.toFixed(4)}` : '-';
    }),
  ]);
  const healthy = report.healthy.map((row, at) => [
    row.cars,
    ...reports.map(({ healthy: [...all] }) => {
      const one = all[at];
      return one ? `${percent(one.flagged)} / ${one.falseEpisodesPer1000CarHours.toFixed(1)}` : '-';
    }),
  ]);
  return [
    {
      title: 'Side by side: flagged / false episodes per 1,000 car-hours',
      head: ['healthy cars', ...names],
      rows: healthy,
    },
    { title: 'Side by side: ROC-AUC / recall at 0.1 % / flagged', head: ['fault', 'strength', ...names], rows: faults },
  ];
}

function unscoredTable({ unscored }: Report): Table {
  const rows = Object.entries(unscored).map(([reason, readings]) => [reason, String(readings)]);
  return { title: 'Readings without a score', head: ['reason', 'readings'], rows };
}

function blame(blamed: FaultRow['blamed']): string {
  const all = Object.values(blamed).reduce((sum, one) => sum + one, 0);
  const [most] = Object.entries(blamed).toSorted(([, one], [, other]) => other - one);
  return most ? `${most[0]} ${((most[1] / all) * 100).toFixed(1)} %` : '-';
}

function percent(share: number): string {
  return `${(share * 100).toFixed(3)} %`;
}

function between([low, high]: Interval, digits: number): string {
  return `(${low.toFixed(digits)}..${high.toFixed(digits)})`;
}

/** Down: a target that is missed by a little must not look met. */
function rounded(value: number): string {
  return (Math.floor(value * 1e5 + 1e-6) / 1e5).toString();
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`;
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)].join('\n');
}
