import type { Settings } from './settings.js';

/** When episodes open, change and clear, as the settings have it. */
export function rulesOf(settings: Settings) {
  return {
    window: settings.EPISODE_WINDOW,
    open: settings.EPISODE_OPEN,
    clear: settings.EPISODE_CLEAR,
    hysteresis: settings.EPISODE_HYSTERESIS,
    major: settings.EPISODE_MAJOR,
    critical: settings.EPISODE_CRITICAL,
    downgradeAfter: settings.EPISODE_DOWNGRADE * 1_000,
  };
}
