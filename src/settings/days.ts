const DAY = 86_400_000;

/** How long something is kept, by a setting in days: ms; null for ever, which a setting spells 0. */
export function keptFor(days: number): number | null {
  return days === 0 ? null : days * DAY;
}
