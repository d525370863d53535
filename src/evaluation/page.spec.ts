import { beforeAll, describe, expect, it } from 'vitest';
import { evaluateOnSimulation } from './evaluate.js';
import { reportPage } from './page.js';
import type { Comparison } from './report.js';
import { RulesScorer } from './rules.js';

const EPISODES = { window: 5, open: 3, clear: 3, hysteresis: 0.9, major: 2, critical: 5, downgradeAfter: 60_000 };

let report: Comparison;
let page: string;
beforeAll(async () => {
  const size = { seed: 8, cars: 12, messages: 40 };
  const judge = () =>
    evaluateOnSimulation(size, { scorer: new RulesScorer(), rules: EPISODES, onProgress: () => undefined });
  const other = { name: 'other', ...(await judge()), model: 'b@2' };
  // As a report that was read back from its JSON.
  report = JSON.parse(JSON.stringify({ ...(await judge()), model: '<a&b>@1', against: [other] })) as Comparison;
  page = reportPage(report);
});

const plain = (html: string) =>
  html
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');

/** The rows of the table under a heading, each as the texts of its cells; the head first. */
function tableUnder(heading: string): string[][] {
  const from = page.indexOf(`<h2>${heading}`);
  const table = page.slice(page.indexOf('<table', from), page.indexOf('</table>', from));
  return [...table.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row = '']) =>
    [...row.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs)].map(([, cell = '']) => plain(cell)),
  );
}

const numbersIn = (cell: string | undefined) => (cell ?? '').match(/\d+(\.\d+)?/g)?.map(Number) ?? [];

describe('reportPage', () => {
  it('shows the figures of the JSON', () => {
    const [, ...faults] = tableUnder('Failing cars');
    expect(faults).toHaveLength(report.faults.length);
    report.faults.forEach((row, at) => {
      const [cars, strength, auc, prAuc, recall, recall1, flagged, delay] = faults[at] ?? [];
      expect([cars, strength]).toEqual([row.cars, row.strength]);
      expect([...numbersIn(auc), ...numbersIn(prAuc), ...numbersIn(recall), ...numbersIn(recall1)]).toEqual(
        [row.rocAuc, ...row.rocAuc95, row.prAuc, row.recallAt01Percent, ...row.recallAt01Percent95]
          .concat(row.recallAt1Percent)
          .map((value) => Number(value.toFixed(4))),
      );
      expect(Number(flagged)).toBe(Number(row.flagged.toFixed(4)));
      expect(numbersIn(delay)).toEqual([row.delay.median, row.delay.p95].filter((one) => one !== null));
    });
    const [, ...healthy] = tableUnder('Healthy cars');
    report.healthy.forEach((row, at) => {
      expect(healthy[at]?.slice(0, 2)).toEqual([row.cars, String(row.readings)]);
      expect(numbersIn(healthy[at]?.[2])[0]).toBe(Number((row.flagged * 100).toFixed(3)));
      expect(numbersIn(healthy[at]?.[4])[0]).toBe(Number(row.falseEpisodesPer1000CarHours.toFixed(1)));
    });
  });

  it('shows every target, met or missed, and the others beside it', () => {
    const [, ...targets] = tableUnder('Targets');
    expect(targets.map((row) => [row[0], row[2], row[5]])).toEqual(
      report.targets.map(({ cars, measure, met }) => [cars, measure, met ? 'met' : 'MISSED']),
    );
    const [head, ...rows] = tableUnder('Side by side: ROC-AUC');
    expect(head).toEqual(['fault', 'strength', '<a&b>@1', 'other: b@2']);
    rows.forEach((row, at) => {
      const { rocAuc = NaN, recallAt01Percent = NaN, flagged = NaN } = report.against[0]?.faults[at] ?? {};
      expect(numbersIn(row[3])).toEqual([rocAuc, recallAt01Percent, flagged].map((one) => Number(one.toFixed(4))));
    });
  });

  it('draws the curves of the JSON', () => {
    const [tire] = report.faults;
    const plot = page.slice(
      page.indexOf('>ROC curve: tire<'),
      page.indexOf('</svg>', page.indexOf('>ROC curve: tire<')),
    );
    const levels = [...plot.matchAll(/<text x="39" y="([\d.]+)" text-anchor="end">([\d.]+)</g)];
    const [low, high] = [levels[0], levels.at(-1)].map((one) => [Number(one?.[1]) - 3, Number(one?.[2])] as const);
    // The last line drawn is that of the judged model at full strength.
    const points = plot.match(/<polyline class="line c0" points="([^"]*)"/)?.[1]?.split(' ') ?? [];
    const [atLow = 0, fromLow = 0] = low ?? [];
    const [atHigh = 0, toHigh = 0] = high ?? [];
    expect(points).toHaveLength(tire?.roc.length ?? 0);
    points.forEach((point, at) => {
      const found = fromLow + ((Number(point.split(',')[1]) - atLow) / (atHigh - atLow)) * (toHigh - fromLow);
      expect(found).toBeCloseTo(tire?.roc[at]?.[1] ?? NaN, 2);
    });
    expect(page.match(/<svg /g)).toHaveLength(8 + report.faults.length);
  });

  it('says which signal is blamed for which fault', () => {
    const [head = [], ...rows] = tableUnder('Which signal is blamed');
    report.faults.forEach(({ blamedSignals }, at) => {
      const all = Object.values(blamedSignals).reduce((sum, one) => sum + one, 0);
      for (const [signal, count] of Object.entries(blamedSignals))
        expect(numbersIn(rows[at]?.[head.indexOf(signal)])[0]).toBeCloseTo((100 * count) / all, 0);
    });
  });

  it('needs nothing from elsewhere, and names nothing unescaped', () => {
    expect(page.match(/\b(src|href)=|url\(|https?:|@import|<script/g)).toBeNull();
    expect(page).toContain('<title>Evaluation of &lt;a&amp;b&gt;@1</title>');
    expect(page).not.toContain('<a&b>');
  });

  it('closes what it opens, and tells those who cannot see it', () => {
    const open: string[] = [];
    for (const [, end, name, , alone] of page.matchAll(/<(\/?)([a-z][a-z0-9]*)((?:"[^"]*"|[^">])*?)(\/?)>/g)) {
      if (end) expect(open.pop()).toBe(name);
      else if (!alone && name !== 'meta') open.push(name ?? '');
    }
    expect(open).toEqual([]);
    const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, labels = ''] of page.matchAll(/aria-labelledby="([^"]*)"/g))
      for (const label of labels.split(' ')) expect(ids).toContain(label);
    expect(page).toMatch(/^<!DOCTYPE html>\n<html lang="en">/);
    expect(page.match(/<th(?!ead| scope=)/g)).toBeNull();
    expect(page.match(/<h1>/g)).toHaveLength(1);
  });
});
