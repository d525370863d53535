import { z } from 'zod';
import { entry, text, whole } from './entry.js';

/** Settings of the API role. */
export const API_ENTRIES = {
  STALE_AFTER: entry(whole(60, 1), 's', 'A car that has not been seen for this long is STALE'),
  OFFLINE_AFTER: entry(whole(600, 1), 's', 'A car that has not been seen for this long is OFFLINE'),
  ATTRIBUTES_SCHEMA: entry(
    text('schemas/car-attributes.schema.json'),
    'file',
    'JSON Schema (2020-12) of what may be said of a car beside its telemetry (docs/cars.md)',
  ),
  GRAPHIQL: entry(
    z.enum(['on', 'off']).default(process.env['NODE_ENV'] === 'production' ? 'off' : 'on'),
    '–',
    'The GraphQL page at /graphiql (off by default when NODE_ENV is production)',
  ),
} as const;
