import { type ASTVisitor, GraphQLError, type ValidationContext } from 'graphql/index.js';

/** A validation rule: at most so many aliases in one document. */
export function aliasRule(most: number): (context: ValidationContext) => ASTVisitor {
  return (context) => {
    let aliases = 0;
    return {
      Field(node) {
        if (!node.alias) return;
        aliases += 1;
        if (aliases !== most + 1) return;
        const message = `There are more than ${most} aliases`;
        context.reportError(new GraphQLError(message, { nodes: node, extensions: { code: 'TOO_MANY_ALIASES' } }));
      },
    };
  };
}
