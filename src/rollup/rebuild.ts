import { windowStart } from '../telemetry/window.js';
import type { Database } from '../twin/database.js';
import { markWindows } from '../twin/rollup-marks.js';
import { windowEnd } from './windows-read.js';

const MARKS = 1_000;

/**
 * Marks every five-minute window that holds readings, jumping over those that hold none.
 * @param from ms; the window that it lies in is the first
 * @param to ms, not included
 * @returns how many windows were marked
 */
export async function markWritten(database: Database, from: number, to: number): Promise<number> {
  const end = new Date(to);
  let marked = 0;
  let group: { at: Date }[] = [];
  let next = windowStart(from, 'FIVE_MINUTES');
  for (;;) {
    const filter = { at: { $gte: new Date(next), $lt: end } };
    const first = await database.collections.readings.findOne(filter, { sort: { at: 1 }, projection: { at: 1 } });
    if (first) group.push(first);
    if (!first || group.length === MARKS) {
      await markWindows(database, 'rebuild', group);
      marked += group.length;
      group = [];
    }
    if (!first) return marked;
    next = windowEnd(windowStart(first.at.getTime(), 'FIVE_MINUTES'), 'FIVE_MINUTES');
  }
}
