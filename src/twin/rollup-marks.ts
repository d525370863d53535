import { ObjectId, type ClientSession } from 'mongodb';
import { windowsOf, type Step } from '../telemetry/window.js';
import type { Database } from './database.js';

/** Windows in the ids of marks and rollups: as text in the order of time. */
export const windowId = (start: number) => new Date(start).toISOString();

export function markId(step: Step, start: number, by: string): string {
  return `${step}/${windowId(start)}/${by}`;
}

/**
 * Notes, in the transaction that changes readings, that the rollups of their windows no longer say what the history says.
 * @param by who changes them; two who write at the same time have different names, so that they never wait for each other
 */
export async function markWindows(
  { collections }: Pick<Database, 'collections'>,
  by: string,
  changed: Iterable<{ readonly at: Date }>,
  session?: ClientSession,
  step: Step = 'FIVE_MINUTES',
): Promise<void> {
  const starts = windowsOf(instantsOf(changed), step);
  if (starts.length === 0) return;
  const stamp = new ObjectId();
  const operations = starts.map((start) => ({
    updateOne: {
      filter: { _id: markId(step, start, by) },
      update: { $set: { at: new Date(start), stamp } },
      upsert: true,
    },
  }));
  await collections.rollupMarks.bulkWrite(operations, { ...(session ? { session } : {}), ordered: false });
}

function* instantsOf(changed: Iterable<{ readonly at: Date }>): Generator<number> {
  for (const { at } of changed) yield at.getTime();
}
