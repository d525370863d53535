import type { Viewer } from './viewer.js';

/** Whose cars: only this much of a viewer matters to what it may see. */
export type Scope = Pick<Viewer, 'fleets'>;

/**
 * The one place that narrows a query on documents that carry their car's fleet at `field` down to what a viewer may see.
 * @returns a condition to be put under `$and`; empty for who may see everything
 */
export function withinScope(field: 'attributes.fleet' | 'fleet', { fleets }: Scope): Record<string, unknown> {
  return fleets === null ? {} : { [field]: { $in: [...fleets] } };
}

/** The same for one document in memory. */
export function seesFleet({ fleets }: Scope, fleet: string | undefined): boolean {
  return fleets === null || (fleet !== undefined && fleets.includes(fleet));
}
