import type { DesiredValues } from './car-documents.js';

/**
 * Where a command is. QUEUED: not at the broker yet, as far as is known. SENT: the broker has it. ACCEPTED, REJECTED: what the
 * car answered. EXPIRED: no answer within its time, or a newer one took its place before it was sent.
 */
export const COMMAND_STATUSES = ['QUEUED', 'SENT', 'ACCEPTED', 'REJECTED', 'EXPIRED'] as const;
export type CommandStatus = (typeof COMMAND_STATUSES)[number];

/** A command in one of these goes on; in the others it has ended for good. */
export const OPEN_STATUSES = ['QUEUED', 'SENT'] as const satisfies readonly CommandStatus[];

export interface CommandStep {
  readonly status: CommandStatus;
  /** By the clock of the process that noted it. */
  readonly at: Date;
  /** Why, where there is something to say: the car's words, or the service's. */
  readonly reason: string | null;
}

/**
 * One desired state on its way to its car. The API inserts it; bridges carry it on; whoever comes first ends it. `_id` is
 * the car's id, a slash and a random part: an erase and what follows it never meet the same id again.
 */
export interface CommandDocument {
  readonly _id: string;
  readonly car: string;
  /** Version of the desired state that it carries. */
  readonly version: number;
  /** All desired values, not only what changed. */
  readonly values: DesiredValues;
  /** When it was issued; rises with every command of a car, whatever the clocks say. */
  readonly at: Date;
  readonly by: string;
  readonly status: CommandStatus;
  /** Every status in order, the present one last. */
  readonly timeline: readonly CommandStep[];
  readonly expiresAt: Date;
  /** How often a bridge took it up to publish it. */
  readonly attempts: number;
  /** From when on a bridge may take it up; not there once nobody is to any more. */
  readonly nextAt?: Date;
  /** Who took it up last: what the bridge took with one write it finds by this. */
  readonly claim?: string;
  /** The newer version that is to reach the car in its place; it may have reached it all the same. */
  readonly supersededBy?: number;
}
