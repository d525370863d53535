import { Command } from 'commander';
import { startService } from '../service.js';
import { SettingsError, readSettings } from '../settings/settings.js';

/** Exit codes: 0 stopped on request, 1 could not start or stop, 2 bad settings. */
export async function serve(): Promise<void> {
  try {
    const service = await startService(readSettings(process.env));
    let stopping: Promise<void> | null = null;
    const stop = () => {
      stopping ??= service.stop().then(() => process.exit(0), fail);
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
  } catch (error) {
    fail(error);
  }
}

function fail(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(error instanceof SettingsError ? 2 : 1);
}

export function serveCommand(): Command {
  return new Command('serve').description('Runs the service with the roles of ROLES (see the settings)').action(serve);
}
