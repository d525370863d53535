/** The lengths of rollup windows, ms. Windows of one length follow each other without gaps from 1970 on. */
export const STEPS = { FIVE_MINUTES: 300_000, HOUR: 3_600_000 } as const;
export type Step = keyof typeof STEPS;

/** The start of the window that an instant lies in; ms. The start belongs to the window, the end to the next one. */
export function windowStart(at: number, step: Step): number {
  return Math.floor(at / STEPS[step]) * STEPS[step];
}

/** The starts of the different windows that the instants lie in, rising; ms. */
export function windowsOf(instants: Iterable<number>, step: Step): number[] {
  const starts = new Set<number>();
  for (const at of instants) starts.add(windowStart(at, step));
  return [...starts].sort((one, other) => one - other);
}

/** The starts of all windows that begin at or after `from` and before `to`; ms. */
export function windowsBetween(from: number, to: number, step: Step): number[] {
  const first = Math.ceil(from / STEPS[step]) * STEPS[step];
  const count = Math.max(0, Math.ceil((to - first) / STEPS[step]));
  return Array.from({ length: count }, (_, index) => first + index * STEPS[step]);
}

/** Windows that touch each other as one stretch each: from its start to its end, which is not included; ms. */
export function stretchesOf(starts: readonly number[], step: Step): { from: number; to: number }[] {
  const stretches: { from: number; to: number }[] = [];
  for (const start of starts) {
    const last = stretches.at(-1);
    if (last?.to === start) last.to += STEPS[step];
    else stretches.push({ from: start, to: start + STEPS[step] });
  }
  return stretches;
}
