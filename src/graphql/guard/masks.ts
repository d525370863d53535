import { type DocumentNode, type GraphQLSchema, isObjectType } from 'graphql/index.js';
import type { Role } from '../../access/viewer.js';
import { ApiError } from '../api-error.js';
import { nearestName } from '../nearest-name.js';
import { inputNames, possibleNames } from './input-names.js';
import { SYNONYMS } from './synonyms.js';

/** By role, what it neither sees nor names: `Type.field`, `Input.field` and `Enum.VALUE`. */
export type Masks = Readonly<Partial<Record<Role, ReadonlySet<string>>>>;

type Variables = Readonly<Record<string, unknown>> | null;

/** `role:Type.field, …`. With a field go its synonyms. */
export function maskedFields(text: string | undefined): Masks {
  const masked: Partial<Record<Role, Set<string>>> = {};
  for (const one of text?.split(',') ?? []) {
    const [role, field] = one.split(':') as [Role, string];
    const names = (masked[role] ??= new Set());
    for (const name of [field, ...(SYNONYMS[field] ?? [])]) names.add(name);
  }
  return masked;
}

/** What is wrong with `role:Type.field, …`: the first field that the schema does not have, and the nearest that it has. */
export function unknownMask(text: string, schema: GraphQLSchema): string | null {
  const types = Object.values(schema.getTypeMap()).filter((type) => isObjectType(type));
  const fields = types.flatMap((type) => Object.keys(type.getFields()).map((field) => `${type.name}.${field}`));
  const unknown = text
    .split(',')
    .map((one) => one.slice(one.indexOf(':') + 1))
    .find((field) => !fields.includes(field));
  if (unknown === undefined) return null;
  return `there is no ${unknown} in the schema; the nearest is ${nearestName(unknown, fields)}`;
}

/**
 * @param fields that the operation asks for
 * @param variables null where they are not known yet
 * @throws ApiError FORBIDDEN for what is masked, asked for or named in an argument: figures and filters tell of it, too
 */
export function refuseMasked(
  masked: ReadonlySet<string>,
  role: Role,
  fields: ReadonlySet<string>,
  { schema, document, variables }: { schema: GraphQLSchema; document: DocumentNode; variables: Variables },
): void {
  const isMasked = (name: string) => masked.has(name);
  const hidden = [...fields, ...inputNames(schema, document, variables ?? {})].find(isMasked);
  if (hidden) throw new ApiError('FORBIDDEN', `The role ${role} does not see ${hidden}`);
  if (variables === null && [...possibleNames(schema, document)].some(isMasked))
    throw new ApiError('FORBIDDEN', `The role ${role} gives filters in the operation itself, not as variables`);
}
