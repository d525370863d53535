import { OWNER, type Viewer } from '../../access/viewer.js';

/** By whom operations are counted: the name where there is one, the address where everybody is the same. */
export function clientName(viewer: Viewer, address: string | undefined): string {
  return viewer === OWNER ? `address ${address ?? ''}` : `name ${viewer.name}`;
}
