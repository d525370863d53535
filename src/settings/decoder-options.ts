import type { Settings } from './settings.js';

/** How records are decoded, ms and bytes. As the service decodes, so does whoever reads the same topic. */
export function decoderOptions({ SENSOR_FORMAT, MAX_BODY, CLOCK_AHEAD, SCHEMA_REGISTRY_URL }: Settings) {
  return {
    format: SENSOR_FORMAT,
    maxBody: MAX_BODY,
    clockAhead: CLOCK_AHEAD * 1_000,
    ...(SCHEMA_REGISTRY_URL === undefined ? {} : { registryUrl: SCHEMA_REGISTRY_URL }),
  };
}
