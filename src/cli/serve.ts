import { Command } from 'commander';
import { SettingsError, readSettings } from '../settings/settings.js';

/** Exit codes: 0 stopped on request, 1 could not start or stop, 2 bad settings. */
export async function serve(): Promise<void> {
  const asked = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => asked.abort(new Error('asked to stop')));
  try {
    // Only here, since Nest and GraphQL take longer to load than most commands take to run.
    const { startService } = await import('../service.js');
    const service = await startService(readSettings(process.env), undefined, asked.signal);
    const stop = () => void service.stop().then(() => process.exit(0), fail);
    if (asked.signal.aborted) stop();
    else asked.signal.addEventListener('abort', stop, { once: true });
  } catch (error) {
    if (asked.signal.aborted) process.exit(0);
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
