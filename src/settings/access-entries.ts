import { z } from 'zod';
import { entry, optionalListOf, text, whole } from './entry.js';

const production = process.env['NODE_ENV'] === 'production';

/** Names are those of GraphQL; whether there is such a field is found out when the schema is there. */
const MASK = '(viewer|operator|modeller):[A-Za-z_]\\w*\\.[A-Za-z_]\\w*';

/** Who may see what, and how much of it: settings of the API role. */
export const ACCESS_ENTRIES = {
  AUTH: entry(
    z.enum(['off', 'required']).default('off'),
    '–',
    'off: whoever reaches the address may do everything, which goes with a loopback HTTP_HOST only; required: a token or a key (docs/access.md)',
  ),
  JWT_JWKS_URL: entry(z.url({ protocol: /^https?$/ }).optional(), 'URL', 'Public keys that tokens are checked with'),
  JWT_SECRET: entry(
    z.string().min(32, 'is shorter than 32 characters').optional(),
    '–',
    'Shared key that tokens are checked with, instead of JWT_JWKS_URL',
  ),
  JWT_ISSUER: entry(z.string().min(1).optional(), '–', 'The only issuer of tokens that is taken'),
  JWT_AUDIENCE: entry(z.string().min(1).optional(), '–', 'The audience that a token must be for'),
  JWT_CLOCK_TOLERANCE: entry(whole(5, 0, 300), 's', 'How far the clock of an issuer may be off'),
  JWT_ALGORITHMS: entry(
    optionalListOf(z.enum(['HS256', 'HS384', 'HS512', 'RS256', 'RS512', 'PS256', 'ES256', 'ES384', 'EdDSA'])),
    'list',
    'Algorithms that are taken; HS256 with JWT_SECRET, RS256, ES256 and EdDSA with JWT_JWKS_URL when not set',
  ),
  JWT_ROLE_CLAIM: entry(text('role'), '–', 'Claim that names the role: viewer, operator, modeller or admin'),
  JWT_FLEETS_CLAIM: entry(text('fleets'), '–', 'Claim that lists the fleets; "*" is every car'),
  API_KEYS_FILE: entry(
    z.string().min(1).optional(),
    'file',
    'Static keys: name, SHA-256, role, fleets (docs/access.md)',
  ),
  MASKED_FIELDS: entry(
    z
      .string()
      .regex(new RegExp(`^${MASK}(,${MASK})*$`), 'is no list of role:Type.field')
      .optional(),
    'role:Type.field, …',
    'Fields that a role does not see: FORBIDDEN where they are asked for (docs/access.md)',
  ),
  ALLOWED_ORIGINS: entry(
    optionalListOf(z.url()),
    'list',
    'Web origins, beside its own, that may ask (CORS) and open WebSockets',
  ),
  INTROSPECTION: entry(
    z.enum(['on', 'off']).default(production ? 'off' : 'on'),
    '–',
    'Whether the schema may be asked for (off by default when NODE_ENV is production)',
  ),
  PERSISTED_OPERATIONS: entry(
    z.enum(['off', 'prefer', 'only']).default('off'),
    '–',
    'prefer: an operation may be named by its hash; only: operations of PERSISTED_OPERATIONS_DIR and no others',
  ),
  PERSISTED_OPERATIONS_DIR: entry(text('docs/operations'), 'folder', 'Where the persisted operations lie (*.graphql)'),
  LIMIT_COST: entry(
    whole(20_000, 1),
    'objects',
    'Most objects that one operation may ask for, by the sizes of its lists, and what takes as long',
  ),
  LIMIT_ALIASES: entry(whole(50, 0), 'aliases', 'Most aliases in one operation'),
  LIMIT_SCANS: entry(
    whole(4, 1),
    'reads',
    'Reads that pass over the fleet, of one process at a time; others wait up to 10 s',
  ),
  LIMIT_BODY: entry(whole(102_400, 1_024, 1_048_576), 'bytes', 'Largest request, over HTTP as over WebSocket'),
  LIMIT_RATE: entry(whole(0, 0), 'operations/s', 'Operations of one client (token, key or address); 0: no limit'),
  LIMIT_SOCKETS: entry(whole(20_000, 1), 'WebSockets', 'WebSockets of one address at a time'),
  LIMIT_SUBSCRIPTIONS: entry(whole(20_000, 1), 'subscriptions', 'Subscriptions of one client at a time'),
  LIMIT_EXPORTS: entry(whole(4, 1), 'exports', 'Exports of one client at a time'),
  LIMIT_EXPORT_STALL: entry(
    whole(120, 1),
    's',
    'How long a client may leave an export unread before it is cut; more than a batch takes the database',
  ),
  LIMIT_PAST_READINGS: entry(
    whole(50_000, 1),
    'readings',
    'Most readings that one car as of an instant may be folded from; each takes 1 kB meanwhile',
  ),
  AUDIT_RETENTION: entry(whole(365, 0), 'days', 'How long the audit log of mutations is kept; 0 keeps it for ever'),
} as const;
