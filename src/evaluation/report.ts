import type { Calm, Figures } from './figures.js';

/** What an evaluation found; its JSON form is this object. */
export interface Report {
  readonly model: string;
  readonly threshold: number;
  /** The seed of the simulated cars, or the file. */
  readonly source: string;
  readonly healthy: readonly ({ readonly cars: string } & Calm)[];
  readonly faults: readonly ({ readonly cars: string; readonly strength: string } & Figures)[];
}

/** The report as Markdown, which is also a table for a terminal. */
export function reportTable({ model, threshold, source, healthy, faults }: Report): string {
  const rows = faults.map((row) => [
    row.cars,
    row.strength,
    `${row.rocAuc.toFixed(4)} (${row.rocAuc95.map((end) => end.toFixed(4)).join('..')})`,
    row.prAuc.toFixed(4),
    row.recallAt01Percent.toFixed(4),
    row.recallAt1Percent.toFixed(4),
    row.flagged.toFixed(4),
    `${row.delay.median ?? '-'} / ${row.delay.p95 ?? '-'}`,
    blame(row.blamed),
  ]);
  const head = [
    'fault',
    'strength',
    'ROC-AUC (95 %)',
    'PR-AUC',
    'recall at 0.1 %',
    'at 1 %',
    'flagged',
    'delay p50/p95',
    'blamed',
  ];
  const calm = healthy.map((row) => [
    row.cars,
    String(row.readings),
    `${(row.flagged * 100).toFixed(3)} %`,
    row.carHours.toFixed(0),
    row.falseEpisodesPer1000CarHours.toFixed(1),
  ]);
  const calmHead = ['healthy cars', 'readings', 'flagged', 'car-hours', 'false episodes per 1,000 car-hours'];
  const tables = [...(calm.length > 0 ? [table(calmHead, calm)] : []), ...(rows.length > 0 ? [table(head, rows)] : [])];
  return [`${model}, threshold ${threshold.toFixed(3)}, ${source}`, ...tables].join('\n\n');
}

function blame(blamed: Figures['blamed']): string {
  const all = Object.values(blamed).reduce((sum, one) => sum + one, 0);
  const [most] = Object.entries(blamed).toSorted(([, one], [, other]) => other - one);
  return most ? `${most[0]} ${((most[1] / all) * 100).toFixed(1)} %` : '-';
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`;
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)].join('\n');
}
