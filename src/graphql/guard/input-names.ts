import {
  astFromValue,
  type DocumentNode,
  getNamedType,
  type GraphQLInputType,
  type GraphQLNamedInputType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInputType,
  Kind,
  typeFromAST,
  TypeInfo,
  type TypeNode,
  valueFromASTUntyped,
  visit,
  visitWithTypeInfo,
} from 'graphql/index.js';

/**
 * `Input.field` and `Enum.VALUE` of all that a document says in arguments: in itself, in variables, in their defaults,
 * and in the defaults of arguments that are not given. A field that is null says nothing.
 * @param variables as they came: an argument whose variable is not among them counts as not given
 */
export function inputNames(
  schema: GraphQLSchema,
  document: DocumentNode,
  variables: Readonly<Record<string, unknown>>,
): Set<string> {
  const names = new Set<string>();
  const info = new TypeInfo(schema);
  const visitor = visitWithTypeInfo(info, {
    Field({ arguments: given = [] }) {
      for (const { name, type, defaultValue } of info.getFieldDef()?.args ?? []) {
        const node = given.find((one) => one.name.value === name)?.value;
        const unset = node?.kind === Kind.VARIABLE && variables[node.name.value] === undefined;
        const value = node && !unset ? node : astFromValue(defaultValue, type);
        if (value) collect(type, valueFromASTUntyped(value, variables), names);
      }
    },
    VariableDefinition({ variable, type: node, defaultValue }) {
      const type = inputTypeOf(schema, node);
      const value = variables[variable.name.value];
      if (!type) return;
      if (value !== undefined) collect(type, value, names);
      else if (defaultValue) collect(type, valueFromASTUntyped(defaultValue), names);
    },
  });
  visit(document, visitor);
  return names;
}

/** `Input.field` and `Enum.VALUE` of all that the variables of a document could say. */
export function possibleNames(schema: GraphQLSchema, document: DocumentNode): Set<string> {
  const names = new Set<string>();
  const known = new Set<GraphQLNamedInputType>();
  const walk = (outer: GraphQLInputType): void => {
    const type = getNamedType(outer);
    if (known.has(type)) return;
    known.add(type);
    if (isEnumType(type)) for (const { name } of type.getValues()) names.add(`${type.name}.${name}`);
    if (!isInputObjectType(type)) return;
    for (const field of Object.values(type.getFields())) {
      names.add(`${type.name}.${field.name}`);
      walk(field.type);
    }
  };
  visit(document, {
    VariableDefinition({ type: node }) {
      const type = inputTypeOf(schema, node);
      if (type) walk(type);
    },
  });
  return names;
}

function inputTypeOf(schema: GraphQLSchema, node: TypeNode): GraphQLInputType | undefined {
  const type = typeFromAST(schema, node);
  return isInputType(type) ? type : undefined;
}

/** A value as it is in JSON: one that stands for a list of itself included. */
function collect(outer: GraphQLInputType, value: unknown, names: Set<string>): void {
  const type = getNamedType(outer);
  if (value === null || value === undefined) return;
  if (Array.isArray(value)) for (const each of value) collect(type, each, names);
  else if (isEnumType(type)) names.add(`${type.name}.${value as string}`);
  else if (isInputObjectType(type))
    for (const field of Object.values(type.getFields())) {
      const inner = (value as Record<string, unknown>)[field.name] ?? defaultOf(field);
      if (inner === null || inner === undefined) continue;
      names.add(`${type.name}.${field.name}`);
      collect(field.type, inner, names);
    }
}

function defaultOf({ type, defaultValue }: { type: GraphQLInputType; defaultValue?: unknown }): unknown {
  const node = astFromValue(defaultValue, type);
  return node ? valueFromASTUntyped(node) : undefined;
}
