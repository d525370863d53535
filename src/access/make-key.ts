import { type ApiKey, sha256 } from './authenticator.js';
import { ROLES, type Role } from './viewer.js';

/** Bytes of a key: too many to be guessed, so that a plain hash keeps them. */
export const KEY_BYTES = 32;

/** What a file of keys has of one: `fleets` is a list, or `*` for every car. */
export type KeyEntry = Omit<ApiKey, 'fleets'> & { readonly fleets: readonly string[] | '*' };

/**
 * A key, which is shown once, and what the service is given of it.
 * @param random KEY_BYTES bytes
 * @param fleets names with commas between them, or `*`
 * @throws Error that says what is wrong
 */
export function makeKey(
  random: Uint8Array,
  { name, role, fleets }: { name: string; role: string; fleets: string },
): { key: string; entry: KeyEntry } {
  if (random.length < KEY_BYTES) throw new Error(`a key has ${KEY_BYTES} random bytes`);
  if (name.trim() === '') throw new Error('a key has a name');
  if (!ROLES.includes(role as Role)) throw new Error(`${role} is no role: ${ROLES.join(', ')}`);
  const names = fleets.split(',').map((one) => one.trim());
  if (names.includes('')) throw new Error('fleets are names with commas between them, or *');
  const key = `ft_${Buffer.from(random).toString('base64url')}`;
  const entry = {
    name: name.trim(),
    sha256: sha256(key),
    role: role as Role,
    fleets: names.includes('*') ? '*' : names,
  };
  return { key, entry: entry as KeyEntry };
}
