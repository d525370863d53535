import { randomUUID } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import {
  type DocumentNode,
  type FieldNode,
  getArgumentValues,
  getVariableValues,
  type GraphQLError,
  type GraphQLSchema,
  Kind,
  OperationTypeNode,
  type SelectionSetNode,
} from 'graphql/index.js';
import type { Collection } from 'mongodb';
import type { AuditDocument } from '../../twin/audit-documents.js';
import { keptValue } from '../change/plain-values.js';
import { type RequestContext, viewerIn } from '../current-viewer.js';

type Variables = Readonly<Record<string, unknown>>;

interface Audited extends RequestContext {
  readonly request?: FastifyRequest;
  /** What was written for this request. */
  audited?: { readonly id: string; readonly path: string }[];
}

/** What a request was answered. */
interface Answered {
  readonly data?: object | null;
  readonly errors?: readonly Pick<GraphQLError, 'path' | 'extensions'>[];
}

/** Notes every mutation: before it is tried, so that none goes unnoted, and how it ended. */
export class MutationAudit {
  /** Keeps what one process notes within a millisecond in order. */
  private count = 0;

  constructor(
    private readonly audit: Collection<AuditDocument>,
    private readonly clock: () => number,
  ) {}

  /** @throws MongoError where it cannot be noted: then it is not tried */
  async begin(schema: GraphQLSchema, document: DocumentNode, variables: Variables, context: Audited): Promise<void> {
    const fields = mutationsOf(document);
    if (fields.length === 0) return;
    const viewer = viewerIn(context);
    const values = valuesOf(schema, document, variables);
    const at = new Date(this.clock());
    const rows = fields.map(
      (field): AuditDocument => ({
        _id: `${at.toISOString()}/${this.next()}/${randomUUID()}`,
        at,
        viewer: viewer.name,
        role: viewer.role,
        address: context.request?.ip ?? '',
        operation: field.name.value,
        args: argsOf(schema, field, values),
        outcome: null,
      }),
    );
    await this.audit.insertMany(rows);
    context.audited = fields.map((field, place) => ({
      id: rows[place]?._id ?? '',
      path: field.alias?.value ?? field.name.value,
    }));
  }

  private next(): string {
    this.count += 1;
    return this.count.toString().padStart(12, '0');
  }

  async end({ data, errors = [] }: Answered, { audited }: Audited): Promise<void> {
    if (!audited) return;
    const writes = audited.map(({ id, path }) => {
      const error = errors.find((one) => one.path?.[0] === path);
      const code = error?.extensions?.['code'] as string | undefined;
      const done = data == null ? 'INTERNAL' : Object.hasOwn(data, path) ? 'OK' : 'SKIPPED';
      const outcome = code ?? done;
      return { updateOne: { filter: { _id: id }, update: { $set: { outcome } } } };
    });
    await this.audit.bulkWrite(writes);
  }
}

/** The fields at the root of mutations, those in fragments included. */
function mutationsOf({ definitions }: DocumentNode): FieldNode[] {
  const collect = ({ selections }: SelectionSetNode, seen: readonly string[]): FieldNode[] =>
    selections.flatMap((selection) => {
      if (selection.kind === Kind.FIELD) return selection.name.value.startsWith('__') ? [] : [selection];
      if (selection.kind === Kind.INLINE_FRAGMENT) return collect(selection.selectionSet, seen);
      const name = selection.name.value;
      const fragment = definitions.find((one) => one.kind === Kind.FRAGMENT_DEFINITION && one.name.value === name);
      if (fragment?.kind !== Kind.FRAGMENT_DEFINITION || seen.includes(name)) return [];
      return collect(fragment.selectionSet, [...seen, name]);
    });
  return definitions.flatMap((definition) =>
    definition.kind === Kind.OPERATION_DEFINITION && definition.operation === OperationTypeNode.MUTATION
      ? collect(definition.selectionSet, [])
      : [],
  );
}

/** What variables stand for, those with a value of their own in the operation included. */
function valuesOf(schema: GraphQLSchema, { definitions }: DocumentNode, variables: Variables): Variables {
  const operation = definitions.find(({ kind }) => kind === Kind.OPERATION_DEFINITION);
  if (operation?.kind !== Kind.OPERATION_DEFINITION) return variables;
  return getVariableValues(schema, operation.variableDefinitions ?? [], variables).coerced ?? variables;
}

function argsOf(schema: GraphQLSchema, field: FieldNode, variables: Variables): Record<string, unknown> {
  const definition = schema.getMutationType()?.getFields()[field.name.value];
  if (!definition) return {};
  try {
    const values = Object.entries(getArgumentValues(definition, field, variables));
    return Object.fromEntries(values.map(([name, value]) => [name, keptValue(value)]));
  } catch {
    // What cannot be read is refused when it runs.
    return {};
  }
}
