import { type DynamicModule, Module } from '@nestjs/common';
import { type Settings, SettingsError } from '../settings/settings.js';
import { type ApiKey, Authenticator, readApiKeys } from './authenticator.js';

/** Token of the `Authenticator`; null where authentication is off. */
export const AUTHENTICATOR = Symbol('Authenticator');

@Module({})
export class AccessModule {
  static with(settings: Settings): DynamicModule {
    const authenticator = { provide: AUTHENTICATOR, useValue: authenticatorOf(settings) };
    return { module: AccessModule, global: true, providers: [authenticator], exports: [authenticator] };
  }
}

const SYMMETRIC = new Set<string>(['HS256', 'HS384', 'HS512']);

/** @throws SettingsError */
function authenticatorOf(settings: Settings): Authenticator | null {
  if (settings.AUTH === 'off') return null;
  const { JWT_JWKS_URL: jwksUrl, JWT_SECRET: secret } = settings;
  const algorithms = settings.JWT_ALGORITHMS ?? (jwksUrl === undefined ? ['HS256'] : ['RS256', 'ES256', 'EdDSA']);
  // A public key that is taken for a shared one would let everybody sign.
  if (algorithms.some((name) => SYMMETRIC.has(name) !== (jwksUrl === undefined)))
    throw new SettingsError('JWT_ALGORITHMS: HS… go with JWT_SECRET, all others with JWT_JWKS_URL');
  const jwt =
    jwksUrl === undefined && secret === undefined
      ? null
      : {
          jwksUrl,
          secret,
          issuer: settings.JWT_ISSUER,
          audience: settings.JWT_AUDIENCE,
          clockTolerance: settings.JWT_CLOCK_TOLERANCE,
          algorithms,
          roleClaim: settings.JWT_ROLE_CLAIM,
          fleetsClaim: settings.JWT_FLEETS_CLAIM,
        };
  return new Authenticator(jwt, keysOf(settings.API_KEYS_FILE));
}

function keysOf(file: string | undefined): ApiKey[] {
  if (file === undefined) return [];
  try {
    return readApiKeys(file);
  } catch (error) {
    throw new SettingsError(`API_KEYS_FILE: ${file} cannot be used: ${(error as Error).message}`);
  }
}
