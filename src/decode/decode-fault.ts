/** Closed list of what can go wrong in decoding that is no record's fault. */
export const DECODE_FAULTS = [
  'REGISTRY_UNAVAILABLE',
  'REGISTRY_REFUSED',
  'REGISTRY_UNINTELLIGIBLE',
  'SCHEMAS_UNREADABLE',
] as const;
export type DecodeFaultCode = (typeof DECODE_FAULTS)[number];

/**
 * REGISTRY_UNAVAILABLE: the schema registry cannot be reached, is too slow or has a fault of its own. REGISTRY_REFUSED:
 * it wants other credentials, or does not take a schema. REGISTRY_UNINTELLIGIBLE: what answers does not speak like a schema registry (a wrong URL,
 * a proxy's page). All three may pass, or be put right by somebody: wait and try the batch again. SCHEMAS_UNREADABLE: the
 * project's own schema files are not there or not valid; thrown at start only, and lasting.
 */
export class DecodeFault extends Error {
  override readonly name = 'DecodeFault';
  readonly retriable: boolean;

  constructor(
    readonly code: DecodeFaultCode,
    message: string,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.retriable = code !== 'SCHEMAS_UNREADABLE';
  }
}
