import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Authenticator, readApiKeys } from './authenticator.js';
import { KEY_BYTES, makeKey } from './make-key.js';

const RANDOM = Uint8Array.from({ length: KEY_BYTES }, (_, n) => n);
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keys-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const fileOf = (entries: unknown) => {
  const file = join(folder, 'keys.json');
  writeFileSync(file, JSON.stringify(entries));
  return file;
};

describe('a key', () => {
  it('is known by what the file has of it, which does not tell it', async () => {
    const { key, entry } = makeKey(RANDOM, { name: 'dashboard', role: 'viewer', fleets: 'north, south' });
    const file = fileOf([entry]);
    const who = new Authenticator(null, readApiKeys(file));
    expect(await who.viewerOf(`Bearer ${key}`)).toEqual({
      name: 'dashboard',
      role: 'viewer',
      fleets: ['north', 'south'],
      expiresAt: null,
    });
    expect(JSON.stringify(entry)).not.toContain(key);
    await expect(who.viewerOf(`Bearer ${entry.sha256}`)).rejects.toMatchObject({ kind: 'refused' });
    await expect(who.viewerOf(`Bearer ${key.slice(0, -1)}`)).rejects.toMatchObject({ kind: 'refused' });
  });

  it('of every car is said so', () => {
    expect(makeKey(RANDOM, { name: 'ops', role: 'admin', fleets: '*' }).entry.fleets).toBe('*');
    const [key] = readApiKeys(fileOf([makeKey(RANDOM, { name: 'ops', role: 'admin', fleets: '*' }).entry]));
    expect(key?.fleets).toBeNull();
  });

  it.each([
    [{ name: ' ', role: 'viewer', fleets: '*' }, 'name'],
    [{ name: 'a', role: 'root', fleets: '*' }, 'role'],
    [{ name: 'a', role: 'viewer', fleets: '' }, 'fleets'],
    [{ name: 'a', role: 'viewer', fleets: 'a,,b' }, 'fleets'],
  ])('%j is not made', (wanted, named) => {
    expect(() => makeKey(RANDOM, wanted)).toThrow(named);
  });
});

describe('a file of keys', () => {
  const good = makeKey(RANDOM, { name: 'a', role: 'viewer', fleets: '*' }).entry;
  it.each([
    ['an object', {}, 'list'],
    ['no name', [{ ...good, name: '' }], 'name'],
    ['a key instead of its hash', [{ ...good, sha256: 'ft_secret' }], 'sha256'],
    ['no role', [{ ...good, role: undefined }], 'role'],
    ['a role that every object has', [{ ...good, role: 'constructor' }], 'role'],
    ['no fleets', [{ ...good, fleets: undefined }], 'fleets'],
    ['fleets that are none', [{ ...good, fleets: [{ $ne: 1 }] }], 'fleets'],
  ])('with %s is not taken', (_what, entries, named) => {
    expect(() => readApiKeys(fileOf(entries))).toThrow(named);
  });
});
