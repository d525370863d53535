/**
 * A sum that is rounded once, at its end: the order of what was added does not show in it. Keeps the sum as numbers that
 * do not overlap (Shewchuk, "Adaptive Precision Floating-Point Arithmetic", 1997, as Python's `math.fsum` does).
 */
export class ExactSum {
  /** Rising in size; together they are the sum. */
  readonly #parts: number[] = [];

  add(value: number): void {
    const parts = this.#parts;
    let rest = value;
    let kept = 0;
    for (const part of parts) {
      const [large, small] = Math.abs(rest) < Math.abs(part) ? [part, rest] : [rest, part];
      const high = large + small;
      const low = small - (high - large);
      if (low !== 0) parts[kept++] = low;
      rest = high;
    }
    parts.length = kept;
    parts.push(rest);
  }

  /** The nearest number to the sum; not finite where that is beyond all numbers. */
  get value(): number {
    const parts = this.#parts;
    let index = parts.length - 1;
    let high = parts[index] ?? 0;
    let low = 0;
    while (index > 0 && low === 0) {
      index -= 1;
      const before = high;
      const part = parts[index] ?? 0;
      high = before + part;
      low = part - (high - before);
    }
    // Never -0, whatever was added.
    return halfway(high, low, parts[index - 1] ?? 0) + 0;
  }
}

/** Two numbers are equally near: what lies further down decides. */
function halfway(high: number, low: number, below: number): number {
  if (low * below <= 0) return high;
  const doubled = low * 2;
  const other = high + doubled;
  return doubled === other - high ? other : high;
}
