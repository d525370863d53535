/**
 * QUEUED: waits for the bridge; SENT: published, not answered; ACCEPTED, REJECTED: the car's answer (REJECTED also where newer
 * wishes came before it was sent); EXPIRED: no answer in time.
 */
export const COMMAND_STATUSES = ['QUEUED', 'SENT', 'ACCEPTED', 'REJECTED', 'EXPIRED'] as const;
export type CommandStatus = (typeof COMMAND_STATUSES)[number];

export interface CommandStep {
  readonly status: CommandStatus;
  readonly at: Date;
  /** Why it was rejected, as the car said or the service. */
  readonly reason?: string;
}

/** What a car is to do: one version of what is desired of it. `_id` is car/version, zero-padded. */
export interface CommandDocument {
  readonly _id: string;
  readonly car: string;
  readonly fleet?: string;
  readonly version: number;
  readonly values: Readonly<Record<string, unknown>>;
  readonly by: string;
  readonly status: CommandStatus;
  readonly createdAt: Date;
  /** Until then the car may answer. */
  readonly expiresAt: Date;
  readonly timeline: readonly CommandStep[];
  /** A bridge has it in hand until then: another one takes it up behind that. */
  readonly leasedUntil: Date | null;
  /** How often it was published: more than once where a bridge ended in between. */
  readonly attempts: number;
}

/** What is desired of a car, in one version. */
export interface DesiredVersion {
  readonly values: Readonly<Record<string, unknown>>;
  /** From 1, without gaps. */
  readonly version: number;
  readonly at: Date;
  readonly by: string;
}
