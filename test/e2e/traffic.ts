import { readCsv } from '../../src/simulator/csv.js';
import { simulateFleet, type CarMessage, type FleetOptions } from '../../src/simulator/fleet.js';

/** What the cars of a test send: the recording that `REPLAY_CSV` names, or else simulated messages. */
export async function traffic(options: Omit<FleetOptions, 'start' | 'stepSeconds'>): Promise<CarMessage[]> {
  const file = process.env['REPLAY_CSV'];
  if (file === undefined) return [...simulateFleet({ start: Date.UTC(2026, 0, 1), stepSeconds: 10, ...options })];
  const messages: CarMessage[] = [];
  for await (const message of readCsv(file)) messages.push(message);
  return messages;
}

export function countOf(messages: readonly CarMessage[], car: string): number {
  return messages.filter((message) => message.car === car).length;
}
