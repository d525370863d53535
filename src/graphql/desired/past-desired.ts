import { READ_LIMIT } from '../../fleet/fleet.js';
import type { AcceptedVersion, CarDocument, DesiredVersion } from '../../twin/car-documents.js';
import type { Collections } from '../../twin/collections.js';

/**
 * How a car was to be as of an instant, and what it had accepted by then: out of its commands, as far back as they are kept.
 * @param said what is known now
 */
export async function pastDesired(
  commands: Collections['commands'],
  car: string,
  asOf: Date,
  said: CarDocument | null,
): Promise<{ desired: DesiredVersion; accepted: AcceptedVersion | null } | null> {
  const newest = { sort: { car: -1, at: -1, _id: -1 }, maxTimeMS: READ_LIMIT } as const;
  const issued = { car, at: { $lte: asOf } };
  const desired = said?.desired && said.desired.at <= asOf ? said.desired : await commands.findOne(issued, newest);
  if (!desired) return null;
  if (said?.accepted && said.accepted.at <= asOf) return { desired, accepted: said.accepted };
  const answered = { timeline: { $elemMatch: { status: 'ACCEPTED' as const, at: { $lte: asOf } } } };
  const command = await commands.findOne({ ...issued, ...answered }, newest);
  const at = command?.timeline.find(({ status }) => status === 'ACCEPTED')?.at;
  return { desired, accepted: command && at ? { values: command.values, version: command.version, at } : null };
}
