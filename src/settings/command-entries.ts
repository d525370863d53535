import { z } from 'zod';
import { entry, text, whole } from './entry.js';

/** Settings of desired state and commands: of the bridge role and the API role. */
export const COMMAND_ENTRIES = {
  COMMANDS: entry(
    z.enum(['on', 'off']).default('on'),
    '–',
    'on: the bridge carries commands from MongoDB to the cars and their answers back (docs/commands.md); sensor data does not wait for it',
  ),
  COMMAND_TOPIC: entry(
    z
      .string()
      .regex(/^[^\s+#$/][^\s+#]*[^\s+#/]$/, 'is not a topic to put a car id behind')
      .default('vehicles/commands'),
    'topic',
    'Commands go to this, a slash and the car id; answers come from there with /answer behind it',
  ),
  COMMAND_EXPIRY: entry(
    whole(3_600, 1, 604_800),
    's',
    'How long a car may take to answer before its command is EXPIRED',
  ),
  COMMAND_RETRY: entry(
    whole(30, 1, 3_600),
    's',
    'A command that is not answered is published again after this long, then after twice as long, and so on up to 10 minutes',
  ),
  COMMAND_RETENTION: entry(whole(90, 0), 'days', 'How long commands are kept; 0 keeps them for ever'),
  COMMANDS_SCHEMA: entry(
    text('schemas/desired.schema.json'),
    'file',
    'JSON Schema (2020-12) of what may be desired of a car (docs/commands.md)',
  ),
} as const;
