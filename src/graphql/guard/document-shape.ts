import { type DocumentNode, Kind, Location, visit } from 'graphql/index.js';
import { ApiError } from '../api-error.js';

/** Times that one name may stand in one selection: what they have in common is compared pair by pair. */
const MOST_REPEATED = 100;

/**
 * What is looked at before a document is validated, since validating it would be the harm. One operation each, so that what is
 * checked and noted is what runs; and a text, since a parsed one has passed no limit.
 * @throws ApiError BAD_REQUEST
 */
export function checkShape(document: DocumentNode | null): void {
  if (document?.kind !== Kind.DOCUMENT || !(document.loc instanceof Location))
    throw new ApiError('BAD_REQUEST', 'The operation is no text');
  const operations = document.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
  if (operations.length !== 1) throw new ApiError('BAD_REQUEST', 'A request has one operation');
  visit(document, {
    SelectionSet({ selections }) {
      const times = new Map<string, number>();
      for (const selection of selections) {
        const name = selection.kind === Kind.INLINE_FRAGMENT ? '...' : selection.name.value;
        const count = (times.get(name) ?? 0) + 1;
        if (count > MOST_REPEATED)
          throw new ApiError('BAD_REQUEST', `${name} stands more than ${MOST_REPEATED} times in one selection`);
        times.set(name, count);
      }
    },
  });
}

/** A message without the names that the schema has instead of the one that was given. */
export function withoutSuggestion(message: string): string {
  return message.replace(/ Did you mean .*$/s, '');
}
