import { type ExecutionResult, Kind, type OperationDefinitionNode } from 'graphql/index.js';

/** The cursor of an item, whatever field and alias it came by; null where it was not asked for. */
export function eventIdOf({ data }: ExecutionResult): string | null {
  const [item] = Object.values(data ?? {}) as ({ cursor?: unknown } | null)[];
  return typeof item?.cursor === 'string' ? item.cursor : null;
}

/**
 * The variables with the one that `after` is given by set to the last event that the client has seen: a client that
 * reconnects by itself posts the same operation with that header.
 */
export function afterEvent(
  { selectionSet }: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
  lastEvent: string | string[] | undefined,
): Record<string, unknown> {
  const [field] = selectionSet.selections;
  const after = field?.kind === Kind.FIELD ? field.arguments?.find(({ name }) => name.value === 'after') : undefined;
  if (typeof lastEvent !== 'string' || lastEvent === '' || after?.value.kind !== Kind.VARIABLE) return { ...variables };
  return { ...variables, [after.value.name.value]: lastEvent };
}
