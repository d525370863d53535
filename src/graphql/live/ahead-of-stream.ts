import type { Twin } from '../../twin/documents.js';

/**
 * States that were read from the collection before the change stream came to them: until it has, what it gives of these
 * cars is older. A car's revision only rises, over an erase as well.
 */
export class AheadOfStream {
  private readonly revisions = new Map<string, number>();

  read({ _id, revision }: Twin): void {
    this.revisions.set(_id, revision);
  }

  /** Whether a state that came over the stream is older than the one that was read. */
  outruns({ _id, revision }: Twin): boolean {
    const known = this.revisions.get(_id);
    if (known === undefined) return false;
    if (revision >= known) this.revisions.delete(_id);
    return revision < known;
  }

  clear(): void {
    this.revisions.clear();
  }
}
