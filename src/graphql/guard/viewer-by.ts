import { AuthFault, type Authenticator } from '../../access/authenticator.js';
import type { Viewer } from '../../access/viewer.js';
import { ApiError } from '../api-error.js';

/** @throws ApiError UNAUTHENTICATED, UNAVAILABLE */
export async function viewerBy(authenticator: Authenticator, authorization: string | undefined): Promise<Viewer> {
  try {
    return await authenticator.viewerOf(authorization);
  } catch (fault) {
    if (!(fault instanceof AuthFault)) throw fault;
    throw new ApiError(fault.kind === 'refused' ? 'UNAUTHENTICATED' : 'UNAVAILABLE', fault.message, { cause: fault });
  }
}
