import { randomBytes } from 'node:crypto';
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { readApiKeys } from '../access/authenticator.js';
import { KEY_BYTES, type KeyEntry, makeKey } from '../access/make-key.js';
import { answer, tell } from './terminal.js';

interface MakeOptions {
  readonly name: string;
  readonly role: string;
  readonly fleets: string;
  readonly file?: string;
}

/** `fleet-twin keys make`: a static key for API_KEYS_FILE. Only its hash is kept anywhere. */
export function keysCommand(): Command {
  const keys = new Command('keys').description('static keys of the API (docs/access.md)');
  keys
    .command('make')
    .description('makes a key, prints it once, and its entry for API_KEYS_FILE')
    .requiredOption('--name <name>', 'who or what it is for: stands in the audit log')
    .requiredOption('--role <role>', 'viewer, operator, modeller or admin')
    .requiredOption('--fleets <names>', 'fleets that it sees, with commas between them; * for every car')
    .option('--file <file>', 'adds the entry to this file, which is made where it is not there')
    .action(({ file, ...wanted }: MakeOptions) => {
      const { key, entry } = makeKey(randomBytes(KEY_BYTES), wanted);
      if (file === undefined) tell(JSON.stringify(entry, null, 2));
      else add(file, entry);
      answer(key);
    });
  return keys;
}

function add(file: string, entry: KeyEntry): void {
  const present = existsSync(file) ? readApiKeys(file) : [];
  if (present.some(({ name }) => name === entry.name)) throw new Error(`${file} has a key of the name ${entry.name}`);
  const entries = present.map((one) => ({ ...one, fleets: one.fleets ?? '*' }));
  // Whole or not at all: a service may be about to read it.
  writeFileSync(`${file}.new`, `${JSON.stringify([...entries, entry], null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
