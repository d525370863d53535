import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { ROLES, type Role, type Viewer } from './viewer.js';

/** Who knocks cannot be let in: `refused` for good, `unavailable` where the keys cannot be fetched now. */
export class AuthFault extends Error {
  override readonly name = 'AuthFault';
  constructor(
    readonly kind: 'refused' | 'unavailable',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export interface JwtOptions {
  /** Where the public keys are; not given with a shared key. */
  readonly jwksUrl?: string | undefined;
  /** Shared key of HS256, HS384 and HS512, at least 32 bytes. */
  readonly secret?: string | undefined;
  readonly issuer?: string | undefined;
  readonly audience?: string | undefined;
  /** s */
  readonly clockTolerance: number;
  readonly algorithms: readonly string[];
  readonly roleClaim: string;
  readonly fleetsClaim: string;
}

/** A static key, known by its SHA-256: keys are random, so that no slow hash is needed. */
export interface ApiKey {
  readonly name: string;
  /** Lower-case hex */
  readonly sha256: string;
  readonly role: Role;
  readonly fleets: readonly string[] | null;
}

/** Says who presents a token or a key. */
export class Authenticator {
  private readonly keys: ReadonlyMap<string, ApiKey>;
  private readonly verifyKey: Uint8Array | JWTVerifyGetKey | null;

  constructor(
    private readonly jwt: JwtOptions | null,
    keys: readonly ApiKey[],
  ) {
    this.keys = new Map(keys.map((key) => [key.sha256, key]));
    this.verifyKey = jwt ? verifyKeyOf(jwt) : null;
  }

  /**
   * @param authorization `Bearer` with a JWT or a static key
   * @throws AuthFault
   */
  async viewerOf(authorization: string | undefined): Promise<Viewer> {
    const token = /^Bearer ([\x21-\x7e]{1,8192})$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) throw new AuthFault('refused', 'A bearer token or a key is needed');
    // The hash of what was sent is looked up, so that the time that takes says nothing about the keys.
    const key = this.keys.get(sha256(token));
    if (key) return { name: key.name, role: key.role, fleets: key.fleets, expiresAt: null };
    if (!this.jwt || !this.verifyKey || token.split('.').length !== 3)
      throw new AuthFault('refused', 'The key is not known');
    return viewerOf(await this.verified(token, this.verifyKey, this.jwt), this.jwt);
  }

  private async verified(token: string, key: Uint8Array | JWTVerifyGetKey, jwt: JwtOptions): Promise<JWTPayload> {
    const options = {
      algorithms: [...jwt.algorithms],
      clockTolerance: jwt.clockTolerance,
      requiredClaims: ['exp', 'sub'],
      ...(jwt.issuer === undefined ? {} : { issuer: jwt.issuer }),
      ...(jwt.audience === undefined ? {} : { audience: jwt.audience }),
    };
    try {
      // The two overloads of jose want the kind of key to be known.
      const { payload } =
        typeof key === 'function' ? await jwtVerify(token, key, options) : await jwtVerify(token, key, options);
      return payload;
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw new AuthFault('refused', 'The token has expired');
      const known = error instanceof errors.JOSEError && !isAway(error);
      if (known) throw new AuthFault('refused', 'The token is not valid');
      throw new AuthFault('unavailable', 'The keys to check the token cannot be fetched', { cause: error });
    }
  }
}

function isAway(error: errors.JOSEError): boolean {
  return error instanceof errors.JWKSTimeout || error.code === 'ERR_JOSE_GENERIC';
}

function verifyKeyOf({ jwksUrl, secret }: JwtOptions): Uint8Array | JWTVerifyGetKey {
  if (jwksUrl !== undefined) return createRemoteJWKSet(new URL(jwksUrl), { timeoutDuration: 5_000 });
  return new TextEncoder().encode(secret);
}

/** A token says its role and its fleets itself: without a role it may look, without fleets it sees no car; `*` is every car. */
function viewerOf(payload: JWTPayload, { roleClaim, fleetsClaim }: JwtOptions): Viewer {
  const role = payload[roleClaim] ?? 'viewer';
  if (!ROLES.includes(role as Role)) throw new AuthFault('refused', 'The token names a role that there is not');
  const fleets = fleetsOf(payload[fleetsClaim] ?? []);
  if (fleets === undefined) throw new AuthFault('refused', 'The fleets of the token are no list of names');
  return { name: payload.sub ?? '', role: role as Role, fleets, expiresAt: (payload.exp ?? 0) * 1_000 };
}

function fleetsOf(said: unknown): readonly string[] | null | undefined {
  if (said === '*') return null;
  const list = typeof said === 'string' ? [said] : said;
  if (!Array.isArray(list) || !list.every((one) => typeof one === 'string')) return undefined;
  return list.includes('*') ? null : list;
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * The keys of a file: a JSON list of `{ name, sha256, role, fleets }`, `fleets` a list of names or `"*"`.
 * @throws Error that says what is wrong
 */
export function readApiKeys(file: string): ApiKey[] {
  const list = JSON.parse(readFileSync(file, 'utf8')) as unknown;
  if (!Array.isArray(list)) throw new Error('it is no list of keys');
  return list.map((entry: Record<string, unknown>, place) => {
    const { name, sha256: hash, role, fleets: said } = entry;
    const fleets = fleetsOf(said);
    const fault =
      typeof name !== 'string' || name === ''
        ? 'name'
        : typeof hash !== 'string' || !/^[0-9a-f]{64}$/.test(hash)
          ? 'sha256'
          : !ROLES.includes(role as Role)
            ? 'role'
            : fleets === undefined
              ? 'fleets'
              : null;
    if (fault !== null) throw new Error(`entry ${place + 1} has no good ${fault}`);
    return { name: name as string, sha256: hash as string, role: role as Role, fleets: fleets ?? null };
  });
}
