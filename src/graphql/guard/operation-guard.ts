import type { DocumentNode, GraphQLSchema } from 'graphql/index.js';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Viewer } from '../../access/viewer.js';
import { ApiError } from '../api-error.js';
import { type Masks, refuseMasked } from './masks.js';
import { operationFacts } from './operation-facts.js';

export interface Limits {
  readonly cost: number;
  /** Operations a second and client; 0 for no limit. */
  readonly rate: number;
  readonly introspection: boolean;
  /** `Type.field` that a role does not see. */
  readonly masked: Masks;
}

/** Seconds over which operations are counted: short bursts are let through. */
const WINDOW = 10;

/** What an operation is held to before it runs, over HTTP, WebSocket and server-sent events alike. */
export class OperationGuard {
  private readonly rates: RateLimiterMemory | null;

  constructor(
    private readonly limits: Limits,
    private readonly clock: () => number,
  ) {
    this.rates = limits.rate === 0 ? null : new RateLimiterMemory({ points: limits.rate * WINDOW, duration: WINDOW });
  }

  /**
   * @param client by whom operations are counted
   * @throws ApiError UNAUTHENTICATED, RATE_LIMITED, FORBIDDEN, TOO_COSTLY
   */
  async check(
    schema: GraphQLSchema,
    document: DocumentNode,
    variables: Readonly<Record<string, unknown>> | null,
    viewer: Viewer,
    client: string,
  ): Promise<void> {
    await this.admit(viewer, client);
    const { cost, fields } = operationFacts(schema, document, variables);
    if (cost > this.limits.cost)
      throw new ApiError('TOO_COSTLY', `The operation costs up to ${cost}; the limit is ${this.limits.cost}`);
    if (!this.limits.introspection && (fields.has('Query.__schema') || fields.has('Query.__type')))
      throw new ApiError('FORBIDDEN', 'The schema cannot be asked for here');
    const masked = this.limits.masked[viewer.role];
    if (masked) refuseMasked(masked, viewer.role, fields, { schema, document, variables });
  }

  /** What everything that is asked for is held to, whatever it is. @throws ApiError UNAUTHENTICATED, RATE_LIMITED */
  async admit(viewer: Viewer, client: string): Promise<void> {
    checkExpiry(viewer, this.clock());
    await this.countOperation(client);
  }

  private async countOperation(client: string): Promise<void> {
    try {
      await this.rates?.consume(client);
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      throw new ApiError(
        'RATE_LIMITED',
        `Too many operations: come again in ${Math.ceil(error.msBeforeNext / 1_000)} s`,
      );
    }
  }
}

/** @throws ApiError UNAUTHENTICATED */
export function checkExpiry({ expiresAt }: Viewer, now: number): void {
  if (expiresAt !== null && expiresAt <= now) throw new ApiError('UNAUTHENTICATED', 'The token has expired');
}
