import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AuthFault, Authenticator, type JwtOptions } from './authenticator.js';

const ISSUER = 'https://issuer.example';
const AUDIENCE = 'fleet-twin';
const SOON = () => Math.floor(Date.now() / 1_000) + 60;

type Pair = Awaited<ReturnType<typeof generateKeyPair>>;
let first: Pair;
let second: Pair;
let server: Server;
/** What the issuer publishes; null where it fails. */
let published: readonly [string, Pair][] | null;
let asked = 0;

beforeAll(async () => {
  [first, second] = await Promise.all([generateKeyPair('ES256'), generateKeyPair('ES256')]);
});
beforeEach(async () => {
  published = [['one', first]];
  asked = 0;
  server = createServer((_request, response) => {
    asked += 1;
    void answer().then(({ status, text }) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(text),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => stop());

const stop = () => new Promise<void>((resolve) => server.close(() => resolve()));

async function answer(): Promise<{ status: number; text: string }> {
  if (!published) return { status: 500, text: 'not now' };
  const keys = await Promise.all(
    published.map(async ([kid, { publicKey }]) => ({ ...(await exportJWK(publicKey)), kid, alg: 'ES256' })),
  );
  return { status: 200, text: JSON.stringify({ keys }) };
}

const urlOf = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
const OPTIONS = {
  issuer: ISSUER,
  audience: AUDIENCE,
  clockTolerance: 0,
  algorithms: ['ES256', 'RS256'],
  roleClaim: 'role',
  fleetsClaim: 'fleets',
};
const authenticator = (options: Partial<JwtOptions> = {}) =>
  new Authenticator({ ...OPTIONS, jwksUrl: urlOf(), ...options }, []);

interface Claims {
  readonly kid?: string;
  readonly key?: Pair;
  readonly alg?: string;
  readonly claims?: Record<string, unknown>;
}
const sign = ({ kid = 'one', key = first, alg = 'ES256', claims = {} }: Claims = {}) =>
  new SignJWT({ sub: 'ann', iss: ISSUER, aud: AUDIENCE, exp: SOON(), role: 'operator', fleets: ['north'], ...claims })
    .setProtectedHeader({ alg, kid })
    .sign(key.privateKey);
const kindOf = (who: Authenticator, token: string) =>
  who.viewerOf(`Bearer ${token}`).then(
    ({ name }) => name,
    (fault: AuthFault) => fault.kind,
  );

describe('a token that is checked with published keys', () => {
  it('says who it is, in which role, of which fleets and until when', async () => {
    const exp = SOON();
    const viewer = await authenticator().viewerOf(`Bearer ${await sign({ claims: { exp } })}`);
    expect(viewer).toEqual({ name: 'ann', role: 'operator', fleets: ['north'], expiresAt: exp * 1_000 });
  });

  it('may be signed with the next key as soon as that is published', async () => {
    const who = authenticator();
    expect(await kindOf(who, await sign())).toBe('ann');
    published = [
      ['one', first],
      ['two', second],
    ];
    // The keys are asked for at most every half minute: another process sees the new one at once.
    expect(await kindOf(authenticator(), await sign({ kid: 'two', key: second }))).toBe('ann');
    expect(await kindOf(who, await sign())).toBe('ann');
  });

  it('with a key that is not published is refused, and the issuer is not asked every time', async () => {
    const who = authenticator();
    for (let n = 0; n < 20; n += 1)
      expect(await kindOf(who, await sign({ kid: `guess-${n}`, key: second }))).toBe('refused');
    expect(asked).toBeLessThanOrEqual(2);
  });

  it('may come again where the keys cannot be fetched', async () => {
    published = null;
    const who = authenticator();
    expect(await kindOf(who, await sign())).toBe('unavailable');
    const gone = authenticator();
    await stop();
    expect(await kindOf(gone, await sign())).toBe('unavailable');
  });

  it.each<[string, () => Promise<string> | string]>([
    ['is signed with another key under the name of ours', () => sign({ key: second })],
    ['is not valid yet', () => sign({ claims: { nbf: SOON() } })],
    ['has expired', () => sign({ claims: { exp: SOON() - 61 } })],
    ['never expires', () => sign({ claims: { exp: undefined } })],
    ['names nobody', () => sign({ claims: { sub: undefined } })],
    ['is for others', () => sign({ claims: { aud: ['others'] } })],
    ['is of others', () => sign({ claims: { iss: 'https://others.example' } })],
    ['has a role that there is not', () => sign({ claims: { role: 'root' } })],
    ['has a role that every object has', () => sign({ claims: { role: 'constructor' } })],
    ['has a list of roles', () => sign({ claims: { role: ['admin'] } })],
    ['has fleets that are an object', () => sign({ claims: { fleets: { $ne: null } } })],
    ['has fleets that are no names', () => sign({ claims: { fleets: [1] } })],
    ['is not signed', () => new UnsecuredJWT({ sub: 'ann', iss: ISSUER, aud: AUDIENCE, exp: SOON() }).encode()],
    [
      'takes the public key for a shared one',
      async () => {
        const text = JSON.stringify(await exportJWK(first.publicKey));
        return new SignJWT({ sub: 'ann', iss: ISSUER, aud: AUDIENCE, exp: SOON() })
          .setProtectedHeader({ alg: 'HS256', kid: 'one' })
          .sign(new TextEncoder().encode(text));
      },
    ],
    ['has lost its signature', async () => `${(await sign()).split('.').slice(0, 2).join('.')}.`],
    [
      'was changed',
      async () => {
        const [head, , signature] = (await sign()).split('.');
        const body = Buffer.from(
          JSON.stringify({ sub: 'ann', iss: ISSUER, aud: AUDIENCE, exp: SOON(), role: 'admin' }),
        );
        return `${head}.${body.toString('base64url')}.${signature}`;
      },
    ],
    ['is longer than any', () => `${'a'.repeat(9_000)}.b.c`],
    ['is none', () => 'not-a-token'],
  ])('is refused where it %s', async (_what, make) => {
    expect(await kindOf(authenticator(), await make())).toBe('refused');
  });

  it('may be as far off as the clock of the issuer', async () => {
    const token = await sign({ claims: { exp: SOON() - 65 } });
    expect(await kindOf(authenticator({ clockTolerance: 30 }), token)).toBe('ann');
  });

  it('sees nothing where it names no fleets, everything with *, and is a viewer without a role', async () => {
    const who = authenticator();
    const seen = async (claims: Record<string, unknown>) => {
      const { role, fleets } = await who.viewerOf(`Bearer ${await sign({ claims })}`);
      return [role, fleets];
    };
    expect(await seen({ fleets: undefined })).toEqual(['operator', []]);
    expect(await seen({ fleets: '*' })).toEqual(['operator', null]);
    expect(await seen({ fleets: 'north' })).toEqual(['operator', ['north']]);
    expect(await seen({ role: undefined })).toEqual(['viewer', ['north']]);
  });
});
