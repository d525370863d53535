import 'reflect-metadata';
import { startService } from './service.js';
import { SettingsError, readSettings } from './settings/settings.js';

/** Exit codes: 0 stopped on request, 1 could not start, 2 bad settings. */
async function main(): Promise<void> {
  const service = await startService(readSettings(process.env));
  let stopping: Promise<void> | null = null;
  const stop = () => {
    stopping ??= service.stop().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

function fail(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(error instanceof SettingsError ? 2 : 1);
}

main().catch(fail);
