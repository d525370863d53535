import { type FieldNode, Kind, type OperationDefinitionNode, valueFromASTUntyped } from 'graphql/index.js';

/** Null where they are not known before the operation runs. */
export type Variables = Readonly<Record<string, unknown>> | null;

/** In place of what a variable gives, where that is not known before the operation runs. */
export const UNKNOWN = Symbol('unknown');

/** What the fields of an operation are given, as JSON has it. */
export class GivenArguments {
  /** Whether no variable was looked at: then it is the same for all of them. */
  constant = true;

  constructor(
    private readonly operation: OperationDefinitionNode,
    private readonly variables: Variables,
  ) {}

  /** Undefined where the field has it not; a list is as long as it is, though variables in it be unknown. */
  of({ arguments: given = [] }: FieldNode, name: string): unknown {
    const value = given.find((one) => one.name.value === name)?.value;
    if (!value) return undefined;
    if (value.kind !== Kind.VARIABLE) return valueFromASTUntyped(value, this.variables);
    this.constant = false;
    if (this.variables === null) return UNKNOWN;
    const variable = this.variables[value.name.value];
    return variable === undefined ? this.defaultOf(value.name.value) : variable;
  }

  private defaultOf(name: string): unknown {
    const { variableDefinitions = [] } = this.operation;
    const value = variableDefinitions.find(({ variable }) => variable.name.value === name)?.defaultValue;
    return value && valueFromASTUntyped(value);
  }
}
