import { PAGE_STYLE } from './page-style.js';
import { distributionPlot, escaped, rocPlot, type Line } from './plots.js';
import type { Comparison, FaultRow } from './report.js';
import { tablesOf, type Table } from './report-table.js';

/** The report as one HTML page that needs nothing from elsewhere. */
export function reportPage(report: Comparison): string {
  const { model, threshold, source, targets } = report;
  const missed = targets.filter(({ met }) => !met).length;
  const verdict = missed === 0 ? 'all are met' : `${missed} missed`;
  const summary = targets.length === 0 ? '' : ` ${targets.length} targets, ${verdict}.`;
  return [
    '<!DOCTYPE html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    `<title>${escaped(`Evaluation of ${model}`)}</title>`,
    `<style>${PAGE_STYLE}</style>`,
    '</head>',
    '<body>',
    '<main>',
    `<h1>Evaluation of ${escaped(model)}</h1>`,
    `<p>${escaped(`On ${source}. A reading that scores above ${threshold.toFixed(3)} is anomalous.${summary}`)}</p>`,
    `<p>${NOTE}</p>`,
    ...tablesOf(report).map(tableSection),
    ...rocSection(report),
    ...distributionSection(report),
    ...blameSection(report.faults),
    '</main>',
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

/** Beyond them colours come again. */
const COLOURS = 6;

const NOTE = `Intervals are of 95 % and take cars, not readings, for independent. Recall is the share of the failed readings
above the score that 0.1 % (1 %) of the healthy readings exceed; “flagged” is at the model’s own threshold. Delay is in messages
from the fault to the first flagged reading.`;

function tableSection({ title, head, rows }: Table): string {
  const titles = head.map((one) => `<th scope="col">${escaped(one)}</th>`).join('');
  const body = rows.map((row) => {
    const cells = row.map((cell, at) => {
      if (at === 0) return `<th scope="row">${escaped(cell)}</th>`;
      const verdict = cell === 'met' || cell === 'MISSED' ? ` class="${cell.toLowerCase()}"` : '';
      return `<td${verdict}>${escaped(cell)}</td>`;
    });
    return `<tr>${cells.join('')}</tr>`;
  });
  return section(title, [
    `<div class="wide" tabindex="0" role="region" aria-label="${escaped(title)}"><table>`,
    `<thead><tr>${titles}</tr></thead>`,
    `<tbody>${body.join('\n')}</tbody>`,
    '</table></div>',
  ]);
}

function rocSection(report: Comparison): string[] {
  if (report.faults.length === 0) return [];
  const models = [report, ...report.against];
  const names = [...new Set(report.faults.map(({ cars }) => cars))];
  const plots = names.map((name) => {
    const lines = models.flatMap(({ model, faults }, colour) =>
      faults
        .filter(({ cars }) => cars === name)
        .map((row, place): Line => {
          return { label: `${model}, ${row.strength}`, points: row.roc, colour: colour % COLOURS, dashed: place > 0 };
        }),
    );
    return figure(rocPlot(name, lines), name, rocLegend(report.faults, name));
  });
  const legend = models.map(
    ({ model }, colour) => `<li><span class="key k${colour % COLOURS}"></span>${escaped(model)}</li>`,
  );
  return [
    section('ROC curves', [
      '<p>The share of the failed readings that is found (upwards) against the share of the healthy ones that is flagged with them.</p>',
      `<ul class="legend">${legend.join('')}</ul>`,
      `<div class="plots">${plots.join('\n')}</div>`,
    ]),
  ];
}

function rocLegend(faults: readonly FaultRow[], name: string): string {
  const strengths = faults.filter(({ cars }) => cars === name).map(({ strength }) => strength);
  const [one = '', other] = strengths;
  return other === undefined ? one : `solid: ${one}, dashed: ${other}`;
}

function distributionSection({ healthy, faults }: Comparison): string[] {
  const normal = healthy[0]?.distribution;
  if (normal === undefined || faults.length === 0) return [];
  const plots = faults.map(({ cars, strength, distribution }) =>
    figure(distributionPlot(`${cars} ${strength}`.trim(), normal, distribution), cars, strength),
  );
  return [
    section('How scores are spread', [
      '<p>The share of the readings by their score, in units of the threshold (the upright line); both scales are logarithmic.</p>',
      '<ul class="legend"><li><span class="key healthy"></span>healthy</li><li><span class="key failed"></span>failed</li></ul>',
      `<div class="plots">${plots.join('\n')}</div>`,
    ]),
  ];
}

function blameSection(faults: readonly FaultRow[]): string[] {
  const signals = [...new Set(faults.flatMap(({ blamedSignals }) => Object.keys(blamedSignals)))].toSorted();
  if (signals.length === 0) return [];
  const head = signals.map((signal) => `<th scope="col"><span>${escaped(signal)}</span></th>`).join('');
  const rows = faults.map(({ cars, strength, blamedSignals }) => {
    const all = Object.values(blamedSignals).reduce((sum, one) => sum + one, 0);
    const cells = signals.map((signal) => {
      const share = all === 0 ? 0 : (blamedSignals[signal] ?? 0) / all;
      return share === 0
        ? '<td></td>'
        : `<td style="--share:${share.toFixed(4)}">${share < 0.0005 ? '&lt;0.1' : (share * 100).toFixed(1)}</td>`;
    });
    return `<tr><th scope="row">${escaped(`${cars} ${strength}`.trim())}</th>${cells.join('')}</tr>`;
  });
  return [
    section('Which signal is blamed for which fault', [
      '<p>Per cent of the flagged failed readings of a row whose largest share of the score is that signal’s; an empty field is none.</p>',
      '<div class="wide" tabindex="0" role="region" aria-label="Which signal is blamed"><table class="matrix">',
      `<thead><tr><th scope="col">fault</th>${head}</tr></thead>`,
      `<tbody>${rows.join('\n')}</tbody>`,
      '</table></div>',
    ]),
  ];
}

function section(title: string, content: readonly string[]): string {
  return ['<section>', `<h2>${escaped(title)}</h2>`, ...content, '</section>'].join('\n');
}

function figure(plot: string, name: string, more: string): string {
  return `<figure>${plot}<figcaption><b>${escaped(name)}</b> ${escaped(more)}</figcaption></figure>`;
}
