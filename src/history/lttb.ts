export interface Point {
  /** ms */
  readonly at: number;
  readonly value: number;
}

/**
 * Largest-Triangle-Three-Buckets (S. Steinarsson, Downsampling Time Series for Visual Representation, 2013): first and last
 * point stay, and of each bucket between them the one that spans the largest triangle with its neighbours.
 * @param points by time
 * @param most at least 3, or 2 for the ends alone
 */
export function lttb(points: readonly Point[], most: number): Point[] {
  if (points.length <= most) return [...points];
  // In parts of the largest: no area is beyond all numbers.
  const largest = points.reduce((so, { value }) => Math.max(so, Math.abs(value)), Number.MIN_VALUE);
  const parts = points.map(({ at, value }) => ({ at, value: value / largest }));
  return chosen(parts, most).map((place) => points[place] as Point);
}

/** Where the points are that stay. */
function chosen(points: readonly Point[], most: number): number[] {
  const kept = [0];
  const width = (points.length - 2) / (most - 2);
  let before = 0;
  for (let bucket = 0; bucket < most - 2; bucket += 1) {
    const from = Math.floor(bucket * width) + 1;
    const to = Math.floor((bucket + 1) * width) + 1;
    const ahead = meanOf(points, to, Math.min(points.length, Math.floor((bucket + 2) * width) + 1));
    before = widest(points, from, to, points[before] as Point, ahead);
    kept.push(before);
  }
  return [...kept, points.length - 1];
}

function meanOf(points: readonly Point[], from: number, to: number): Point {
  let [at, value] = [0, 0];
  for (let n = from; n < to; n += 1) {
    at += points[n]?.at ?? 0;
    value += points[n]?.value ?? 0;
  }
  const count = Math.max(1, to - from);
  return { at: at / count, value: value / count };
}

function widest(points: readonly Point[], from: number, to: number, before: Point, ahead: Point): number {
  let best = from;
  let largest = -1;
  for (let n = from; n < to; n += 1) {
    const point = points[n] as Point;
    const area = Math.abs(
      (before.at - ahead.at) * (point.value - before.value) - (before.at - point.at) * (ahead.value - before.value),
    );
    if (area <= largest) continue;
    largest = area;
    best = n;
  }
  return best;
}
