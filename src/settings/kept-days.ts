import type { Settings } from './settings.js';

/** Days that rollups of each step, the audit log and commands are kept; 0 for ever. */
export function keptDaysOf({ ROLLUP_RETENTION, ROLLUP_HOUR_RETENTION, AUDIT_RETENTION, COMMAND_RETENTION }: Settings) {
  const kept = { audit: AUDIT_RETENTION, commands: COMMAND_RETENTION };
  return { FIVE_MINUTES: ROLLUP_RETENTION, HOUR: ROLLUP_HOUR_RETENTION, ...kept };
}

const DAY = 86_400_000;

/** How long something is kept, by a setting in days: ms; null for ever, which a setting spells 0. */
export function keptFor(days: number): number | null {
  return days === 0 ? null : days * DAY;
}
