import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../../access/authenticator.js';
import { ApiError } from '../api-error.js';

export type PersistedMode = 'off' | 'prefer' | 'only';

/** Operations that are known by the SHA-256 of their text, as in Apollo's `persistedQuery` extension. */
export class PersistedOperations {
  private readonly texts: ReadonlyMap<string, string>;

  constructor(
    readonly mode: PersistedMode,
    texts: readonly string[],
  ) {
    this.texts = new Map(texts.map((text) => [sha256(text), text]));
  }

  static read(mode: PersistedMode, folder: string): PersistedOperations {
    if (mode === 'off') return new PersistedOperations(mode, []);
    const files = readdirSync(folder).filter((file) => file.endsWith('.graphql'));
    return new PersistedOperations(
      mode,
      files.map((file) => readFileSync(join(folder, file), 'utf8')),
    );
  }

  /** The text that a request means. @throws ApiError UNKNOWN_OPERATION */
  textOf(query: unknown, extensions: unknown): unknown {
    const named = (extensions as { persistedQuery?: { sha256Hash?: unknown } } | null | undefined)?.persistedQuery;
    if (this.mode === 'off' || query !== undefined || named === undefined) return query;
    const text = typeof named.sha256Hash === 'string' ? this.texts.get(named.sha256Hash) : undefined;
    if (text === undefined) throw new ApiError('UNKNOWN_OPERATION', 'There is no persisted operation of that hash');
    return text;
  }

  /** @throws ApiError UNKNOWN_OPERATION */
  check(text: string): void {
    if (this.mode === 'only' && !this.texts.has(sha256(text))) throw new ApiError('UNKNOWN_OPERATION');
  }
}
