import {
  type ASTVisitor,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type SelectionSetNode,
  type ValidationContext,
} from 'graphql/index.js';

/** Nesting that the deepest useful question needs, with room: cars, edges, node, history, edges, node, score, topSignals. */
export const DEEPEST = 12;

/** A validation rule: fields may be nested DEEPEST deep, fragments included. Introspection is deeper by nature and exempt. */
export function depthRule(context: ValidationContext): ASTVisitor {
  const depths = new Map<string, number>();
  const fragment = (name: string): FragmentDefinitionNode | null | undefined => context.getFragment(name);

  function depthOf({ selections }: SelectionSetNode): number {
    let deepest = 0;
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) {
        if (selection.name.value.startsWith('__')) continue;
        deepest = Math.max(deepest, 1 + (selection.selectionSet ? depthOf(selection.selectionSet) : 0));
      } else if (selection.kind === Kind.INLINE_FRAGMENT) deepest = Math.max(deepest, depthOf(selection.selectionSet));
      else deepest = Math.max(deepest, depthOfFragment(selection.name.value));
    }
    return deepest;
  }

  function depthOfFragment(name: string): number {
    const known = depths.get(name);
    if (known !== undefined) return known;
    // A fragment within itself is refused by another rule; here it only must not go on for ever.
    depths.set(name, 0);
    const definition = fragment(name);
    const depth = definition ? depthOf(definition.selectionSet) : 0;
    depths.set(name, depth);
    return depth;
  }

  return {
    OperationDefinition(operation) {
      const depth = depthOf(operation.selectionSet);
      if (depth <= DEEPEST) return;
      const message = `Fields are nested ${depth} deep; the limit is ${DEEPEST}`;
      context.reportError(new GraphQLError(message, { nodes: operation, extensions: { code: 'TOO_DEEP' } }));
    },
  };
}
