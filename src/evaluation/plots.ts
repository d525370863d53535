import { BINS, type RocPoint } from './curves.js';

/** One line of a plot. */
export interface Line {
  readonly label: string;
  readonly points: readonly RocPoint[];
  /** Place in the page's colours. */
  readonly colour: number;
  readonly dashed: boolean;
}

const WIDTH = 300;
const HEIGHT = 200;
const LEFT = 44;
const RIGHT = 20;
const TOP = 10;
const BOTTOM = 36;
const INNER = { width: WIDTH - LEFT - RIGHT, height: HEIGHT - TOP - BOTTOM };

/** False positives from 0.001 % to all. */
const DECADES = 5;
const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** A ROC curve in inline SVG: false positives on a logarithmic axis, for on a linear one all lie in its corner. */
export function rocPlot(name: string, lines: readonly Line[]): string {
  const lowest = Math.min(...lines.flatMap(({ points }) => points.map(([, found]) => found)));
  // Where all is found, what is missed would not be seen on the whole axis.
  const from = lowest >= 0.9 ? 0.9 : 0;
  const x = (share: number) => LEFT + INNER.width * (1 + Math.log10(Math.max(share, 10 ** -DECADES)) / DECADES);
  const y = (found: number) => TOP + INNER.height * (1 - (found - from) / (1 - from));
  const ticks = [...Array(DECADES + 1).keys()].map((step) => {
    const share = 10 ** (step - DECADES);
    return { at: x(share), text: `${Number((share * 100).toPrecision(1))}%` };
  });
  const levels = [0, 0.25, 0.5, 0.75, 1].map((part) => from + part * (1 - from));
  // The first one is what the page is about: it lies on top.
  const drawn = lines.toReversed().map(({ points, colour, dashed }) => {
    const path = points.map(([share, found]) => `${fixed(x(share))},${fixed(y(found))}`).join(' ');
    return `<polyline class="line c${colour}${dashed ? ' dashed' : ''}" points="${path}"/>`;
  });
  const said = lines.map(({ label, points }) => `${label}: ${percentAt(points, 0.001)} found at 0.1 % false positives`);
  return svg(`ROC curve: ${name}`, `${said.join('; ')}.`, [
    ...axes(
      ticks,
      levels.map((found) => ({ at: y(found), text: found.toFixed(found * 10 === Math.round(found * 10) ? 1 : 3) })),
    ),
    axisTitle('false positives'),
    ...drawn,
  ]);
}

/** Shares of scores over the threshold, healthy and failed, both axes logarithmic; the upright line is the threshold. */
export function distributionPlot(name: string, healthy: readonly number[], failed: readonly number[]): string {
  const least = 5;
  const x = (decade: number) => LEFT + (INNER.width * (decade - BINS.from)) / (BINS.to - BINS.from);
  const y = (share: number) => TOP + INNER.height * -Math.max(-least, Math.log10(Math.max(share, 1e-99))) * (1 / least);
  const ticks = [...Array(BINS.to - BINS.from + 1).keys()].map((step) => {
    return { at: x(BINS.from + step), text: String(10 ** (BINS.from + step)) };
  });
  const levels = [...Array(least + 1).keys()].map((step) => ({ at: y(10 ** -step), text: tenTo(-step) }));
  const area = (shares: readonly number[]) => {
    const steps = shares.flatMap((share, bin) =>
      [bin, bin + 1].map((edge) => `${fixed(x(BINS.from + edge / BINS.perDecade))},${fixed(y(share))}`),
    );
    return [`${fixed(x(BINS.from))},${fixed(y(0))}`, ...steps, `${fixed(x(BINS.to))},${fixed(y(0))}`].join(' ');
  };
  const above = (shares: readonly number[]) => {
    const from = -BINS.from * BINS.perDecade;
    return `${(100 * shares.slice(from).reduce((sum, one) => sum + one, 0)).toFixed(2)} %`;
  };
  const said = `${above(healthy)} of the healthy readings and ${above(failed)} of the failed ones are at the threshold or above.`;
  return svg(`Scores: ${name}`, said, [
    ...axes(ticks, levels),
    axisTitle('score ÷ threshold'),
    `<polygon class="healthy" points="${area(healthy)}"/>`,
    `<polygon class="failed" points="${area(failed)}"/>`,
    `<line class="limit" x1="${fixed(x(0))}" x2="${fixed(x(0))}" y1="${TOP}" y2="${TOP + INNER.height}"/>`,
  ]);
}

interface Tick {
  readonly at: number;
  readonly text: string;
}

function axes(across: readonly Tick[], up: readonly Tick[]): string[] {
  const bottom = TOP + INNER.height;
  return [
    ...across.map(({ at }) => `<line class="grid" x1="${fixed(at)}" x2="${fixed(at)}" y1="${TOP}" y2="${bottom}"/>`),
    ...up.map(
      ({ at }) => `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${fixed(at)}" y2="${fixed(at)}"/>`,
    ),
    ...across.map(({ at, text }) => `<text x="${fixed(at)}" y="${bottom + 13}" text-anchor="middle">${text}</text>`),
    ...up.map(({ at, text }) => `<text x="${LEFT - 5}" y="${fixed(at + 3)}" text-anchor="end">${text}</text>`),
  ];
}

function axisTitle(text: string): string {
  return `<text x="${LEFT + INNER.width / 2}" y="${HEIGHT - 6}" text-anchor="middle">${text}</text>`;
}

function svg(title: string, description: string, content: readonly string[]): string {
  const id = title.replaceAll(/[^A-Za-z0-9]+/g, '-');
  return [
    `<svg role="img" viewBox="0 0 ${WIDTH} ${HEIGHT}" aria-labelledby="${id}-title ${id}-desc">`,
    `<title id="${id}-title">${escaped(title)}</title><desc id="${id}-desc">${escaped(description)}</desc>`,
    ...content,
    '</svg>',
  ].join('\n');
}

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

function fixed(value: number): string {
  return value.toFixed(2);
}

function tenTo(exponent: number): string {
  if (exponent === 0) return '1';
  return `10${exponent < 0 ? '⁻' : ''}${SUPERSCRIPTS[Math.abs(exponent)] ?? ''}`;
}

function percentAt(points: readonly RocPoint[], share: number): string {
  const found = points.find(([falsePositives]) => falsePositives >= share * 0.9999)?.[1] ?? NaN;
  return `${(found * 100).toFixed(2)} %`;
}
