import { hasRole, type Role, type Viewer } from '../access/viewer.js';
import { ApiError } from './api-error.js';

/** @throws ApiError FORBIDDEN where the viewer has another role than this and is no admin */
export function requireRole(viewer: Viewer, role: Exclude<Role, 'viewer'>): void {
  if (!hasRole(viewer, role)) throw new ApiError('FORBIDDEN', `This takes the role ${role}`);
}

/** What speaks of the whole fleet, or of no car at all. @throws ApiError FORBIDDEN for a viewer that sees some fleets only */
export function requireAllFleets({ fleets }: Viewer): void {
  if (fleets !== null) throw new ApiError('FORBIDDEN', 'This is for callers that may see every fleet');
}
