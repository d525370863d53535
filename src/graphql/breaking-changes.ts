import { readFile, writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { buildSchema, findBreakingChanges } from 'graphql/index.js';
import { generateSchema } from './schema-file.js';

/** The schema that clients rely on: that of the last release. Seen from the folder of the project. */
export const RELEASED_SCHEMA = 'schemas/released.graphql';

/** What an operation written for `released` may trip over in `now`, one line for each; both in SDL. */
export function breakingChanges(released: string, now: string): string[] {
  const changes = findBreakingChanges(buildSchema(released), buildSchema(now));
  return changes.map(({ type, description }) => `${type}: ${description}`);
}

const called = process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href;
if (called) {
  const now = await generateSchema();
  if (process.argv.includes('--release')) await writeFile(RELEASED_SCHEMA, now);
  const found = breakingChanges(await readFile(RELEASED_SCHEMA, 'utf8'), now);
  if (found.length > 0) {
    process.stderr.write(`${found.join('\n')}\nthe schema breaks what ${RELEASED_SCHEMA} promised\n`);
    process.exitCode = 1;
  }
}
