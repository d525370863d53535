/** What somebody may do. Everybody may read; operators change cars and anomalies, modellers models, admins everything. */
export const ROLES = ['viewer', 'operator', 'modeller', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** Who asks. */
export interface Viewer {
  /** For the audit log: the token's subject or the key's name. */
  readonly name: string;
  readonly role: Role;
  /** Only cars of these fleets exist for this viewer; null for all cars, those without a fleet included. */
  readonly fleets: readonly string[] | null;
  /** When the token ends, ms; null for never. */
  readonly expiresAt: number | null;
}

/** Who asks where authentication is off: whoever reaches the address may do everything. */
export const OWNER: Viewer = { name: 'anonymous', role: 'admin', fleets: null, expiresAt: null };

/** Admins have every role, and everybody is a viewer; operators and modellers have nothing of each other. */
export function hasRole({ role }: Pick<Viewer, 'role'>, needed: Role): boolean {
  return role === needed || role === 'admin' || needed === 'viewer';
}
