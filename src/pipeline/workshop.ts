import { untilItWorks, type Log } from '../kafka/client.js';
import type { LogBounds } from '../kafka/log-offsets.js';
import type { Stages } from './pipeline.js';
import type { Publisher } from './publish.js';

/** What the writer of a partition works with. */
export interface Workshop {
  readonly stages: Stages;
  readonly publisher: Publisher;
  readonly logBounds: (topic: string, partition: number) => Promise<LogBounds>;
  /** Names this process to people who look at a position. */
  readonly holder: string;
  /** Most records in one transaction. */
  readonly batchRecords: number;
  /** Most twins that one partition keeps in memory. */
  readonly cachedCars: number;
  readonly log: Log;
}

/**
 * Does a piece of work, waiting while a service is away: a fault that says `retriable` is met with patience, any other is thrown.
 * @throws what the signal was aborted with
 */
export async function patiently<T>(
  work: () => Promise<T>,
  { log }: Pick<Workshop, 'log'>,
  signal: AbortSignal,
): Promise<T> {
  let told = false;
  const attempt = () =>
    work().then(
      (value) => ({ value }),
      (error: unknown) => {
        if ((error as { retriable?: unknown } | null)?.retriable === true) throw error;
        return { error };
      },
    );
  const result = await untilItWorks(
    attempt,
    (error) => {
      if (!told) log('warn', 'waiting for a service that is away', { error: messageOf(error) });
      told = true;
    },
    signal,
  );
  if (told) log('info', 'the service is there again');
  if ('error' in result) throw result.error;
  return result.value;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
