import { defineConfig } from 'vitest/config';

/** unit: beside the source, no service. real: MongoDB, Kafka and MQTT, given by the environment or started for it. */
export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 180_000,
    projects: [
      { extends: true, test: { name: 'unit', include: ['src/**/*.spec.ts', 'stack/**/*.spec.ts', 'test/*.spec.ts'] } },
      {
        extends: true,
        test: {
          name: 'real',
          include: ['test/medium/**/*.spec.ts', 'test/e2e/**/*.spec.ts'],
          globalSetup: ['test/global-setup.ts'],
          setupFiles: ['test/file-database.ts'],
          // They share one Kafka, one MQTT broker and two cores.
          maxWorkers: 1,
          testTimeout: 180_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
