import { type DocumentNode, Kind, visit } from 'graphql/index.js';
import type { Role } from '../../access/viewer.js';
import { ApiError } from '../api-error.js';

/** By role, the `Type.field` that it does not see. */
export type Masks = Readonly<Partial<Record<Role, ReadonlySet<string>>>>;

type Variables = Readonly<Record<string, unknown>> | null;

const SIGNAL = 'Signals.';

/**
 * `role:Type.field, …`. With a field go those that show the same: the whole of a car's attributes with any of them, a
 * signal's rollups and what changed in it with the signal.
 */
export function maskedFields(text: string | undefined): Masks {
  const masked: Partial<Record<Role, Set<string>>> = {};
  for (const one of text?.split(',') ?? []) {
    const [role, field] = one.split(':') as [Role, string];
    const fields = (masked[role] ??= new Set());
    fields.add(field);
    if (field.startsWith('CarAttributes.')) fields.add('CarAttributes.values');
    if (!field.startsWith(SIGNAL)) continue;
    fields.add(`SignalRollups.${field.slice(SIGNAL.length)}`);
    fields.add('CarDiff.signals');
  }
  return masked;
}

/**
 * @param fields that the operation asks for
 * @param variables null where they are not known yet
 * @throws ApiError FORBIDDEN for a field that is masked, and for naming a signal that is: figures and filters tell of it, too
 */
export function refuseMasked(
  masked: ReadonlySet<string>,
  role: Role,
  fields: ReadonlySet<string>,
  document: DocumentNode,
  variables: Variables,
): void {
  const hidden = [...fields].find((field) => masked.has(field));
  if (hidden) throw new ApiError('FORBIDDEN', `The role ${role} does not see ${hidden}`);
  const signals = [...masked].filter((field) => field.startsWith(SIGNAL)).map((field) => field.slice(SIGNAL.length));
  if (signals.length === 0) return;
  const named = namesIn(document, variables);
  const told = signals.find((signal) => named.has(signal));
  if (told) throw new ApiError('FORBIDDEN', `The role ${role} does not see ${SIGNAL}${told}`);
  if (variables === null && hasVariables(document))
    throw new ApiError('FORBIDDEN', `The role ${role} gives filters in the operation itself, not as variables`);
}

/** Names of enum values in the arguments, and every text in the variables. */
function namesIn(document: DocumentNode, variables: Variables): Set<string> {
  const names = new Set<string>();
  visit(document, { EnumValue: ({ value }) => void names.add(value) });
  const collect = (value: unknown): void => {
    if (typeof value === 'string') names.add(value);
    else if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) collect(inner);
  };
  collect(variables);
  return names;
}

/** Whether any variable may hold a filter; cursors and ids are texts. */
function hasVariables({ definitions }: DocumentNode): boolean {
  return definitions.some(
    (one) =>
      one.kind === Kind.OPERATION_DEFINITION &&
      one.variableDefinitions?.some(({ type }) => !JSON.stringify(type).match(/"value":"(String|ID|Int|Float)"/)),
  );
}
