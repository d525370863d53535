/** What somebody asked of the registry cannot be done; the message says why. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError';

  constructor(
    readonly code: 'UNKNOWN_MODEL' | 'MODEL_CONFLICT' | 'MODEL_REFUSED',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
