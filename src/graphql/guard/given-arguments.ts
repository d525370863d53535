import { type FieldNode, Kind, type OperationDefinitionNode, valueFromASTUntyped, visit } from 'graphql/index.js';

/** Null where they are not known before the operation runs. */
export type Variables = Readonly<Record<string, unknown>> | null;

/** In place of what a variable gives, where that is not known before the operation runs. */
export const UNKNOWN = Symbol('unknown');

/** What the fields of an operation are given, as JSON has it. */
export class GivenArguments {
  /** Whether no variable was looked at: then it is the same for all of them. */
  constant = true;
  /** With their defaults. */
  private readonly variables: Variables;

  constructor({ variableDefinitions = [] }: OperationDefinitionNode, given: Variables) {
    this.variables =
      given &&
      Object.fromEntries(
        variableDefinitions.map(({ variable: { name }, defaultValue }) => {
          const value = given[name.value];
          return [name.value, value === undefined && defaultValue ? valueFromASTUntyped(defaultValue) : value];
        }),
      );
  }

  /** Undefined where the field has it not; a list is as long as it is, though variables in it be unknown. */
  of({ arguments: given = [] }: FieldNode, name: string): unknown {
    const value = given.find((one) => one.name.value === name)?.value;
    if (!value) return undefined;
    if (value.kind !== Kind.LIST) visit(value, { Variable: () => void (this.constant = false) });
    if (value.kind !== Kind.VARIABLE) return valueFromASTUntyped(value, this.variables);
    return this.variables === null ? UNKNOWN : this.variables[value.name.value];
  }
}
