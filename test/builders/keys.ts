import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { type ApiKey, sha256 } from '../../src/access/authenticator.js';

export const SECRET = 'a shared key that only the tests know, and long enough';
export const ISSUER = 'https://issuer.example';
export const AUDIENCE = 'fleet-twin';

/** By name, the keys of a file that the tests' API takes. */
export const KEYS = {
  admin: 'key-of-the-admin',
  modeller: 'key-of-the-modeller',
  operator: 'key-of-the-operator',
  viewer: 'key-of-the-viewer',
  northOperator: 'key-of-an-operator-of-north',
  northViewer: 'key-of-a-viewer-of-north',
} as const;
const ENTRIES: Readonly<Record<keyof typeof KEYS, Pick<ApiKey, 'role'> & { fleets: readonly string[] | '*' }>> = {
  admin: { role: 'admin', fleets: '*' },
  modeller: { role: 'modeller', fleets: '*' },
  operator: { role: 'operator', fleets: '*' },
  viewer: { role: 'viewer', fleets: '*' },
  northOperator: { role: 'operator', fleets: ['north'] },
  northViewer: { role: 'viewer', fleets: ['north'] },
};

/** Environment of an API that asks everybody who they are. */
export function authEnv(): Record<string, string> {
  const file = join(mkdtempSync(join(tmpdir(), 'keys-')), 'keys.json');
  const entries = Object.entries(ENTRIES).map(([name, entry]) => ({
    name,
    sha256: sha256(KEYS[name as keyof typeof KEYS]),
    ...entry,
  }));
  writeFileSync(file, JSON.stringify(entries));
  return {
    AUTH: 'required',
    API_KEYS_FILE: file,
    JWT_SECRET: SECRET,
    JWT_ISSUER: ISSUER,
    JWT_AUDIENCE: AUDIENCE,
    JWT_CLOCK_TOLERANCE: '0',
  };
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
export const as = (name: keyof typeof KEYS) => bearer(KEYS[name]);

export interface TokenClaims {
  readonly sub?: string | undefined;
  readonly iss?: string;
  readonly aud?: string;
  /** s from now */
  readonly expiresIn?: number;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly secret?: string;
  readonly algorithm?: string;
}

export function aToken({
  sub = 'ann',
  iss = ISSUER,
  aud = AUDIENCE,
  expiresIn = 60,
  claims = { role: 'viewer', fleets: ['north'] },
  secret = SECRET,
  algorithm = 'HS256',
}: TokenClaims = {}): Promise<string> {
  const token = new SignJWT({ ...claims })
    .setProtectedHeader({ alg: algorithm })
    .setSubject(sub)
    .setIssuer(iss)
    .setAudience(aud)
    .setExpirationTime(Math.floor(Date.now() / 1_000) + expiresIn);
  return token.sign(new TextEncoder().encode(secret));
}
