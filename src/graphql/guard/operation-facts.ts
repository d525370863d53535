import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  getNamedType,
  type GraphQLField,
  GraphQLInt,
  type GraphQLNamedType,
  type GraphQLSchema,
  isAbstractType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql/index.js';
import { GivenArguments, UNKNOWN, type Variables } from './given-arguments.js';
import { weightOf } from './weights.js';

/** What is known of an operation before it runs. */
export interface OperationFacts {
  readonly operation: OperationDefinitionNode;
  /** Objects that it asks for at most, by the sizes of its lists, and what else takes as long as so many objects. */
  readonly cost: number;
  /** `Type.field` of everything that it asks for. */
  readonly fields: ReadonlySet<string>;
  /** Whether the cost was made without looking at any variable, and holds for all of them. */
  readonly constant: boolean;
}

/** Arguments that say how many objects come, with how many without them. */
const SIZES = { first: 50, last: 50, top: 10 } as const;
/** Largest page. */
const LARGEST = 500;
/** Objects in a list that has no size of its own: signals that are blamed, open anomalies. */
const SHORT_LIST = 3;

/** Never follows a fragment twice: its cost is remembered, so that fragments of fragments cost no time. */
class Reckoner {
  readonly fields = new Set<string>();
  private readonly given: GivenArguments;
  private readonly known = new Map<string, number>();
  private readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;

  constructor(
    private readonly schema: GraphQLSchema,
    { definitions }: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Variables,
  ) {
    this.given = new GivenArguments(operation, variables);
    const found = definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION) as FragmentDefinitionNode[];
    this.fragments = new Map(found.map((fragment) => [fragment.name.value, fragment]));
  }

  /** Whether no variable was looked at. */
  get constant(): boolean {
    return this.given.constant;
  }

  costOf({ selections }: SelectionSetNode, parent: GraphQLNamedType): number {
    let cost = 0;
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) cost += this.fieldCost(selection, parent);
      else if (selection.kind === Kind.INLINE_FRAGMENT)
        cost += this.costOf(selection.selectionSet, this.typeNamed(selection.typeCondition?.name.value, parent));
      else cost += this.fragmentCost(selection.name.value);
    }
    return cost;
  }

  private fragmentCost(name: string): number {
    const known = this.known.get(name);
    if (known !== undefined) return known;
    // A fragment within itself is refused elsewhere; here it only must not go on for ever.
    this.known.set(name, 0);
    const fragment = this.fragments.get(name);
    const type = fragment && this.schema.getType(fragment.typeCondition.name.value);
    const cost = fragment && type ? this.costOf(fragment.selectionSet, type) : 0;
    this.known.set(name, cost);
    return cost;
  }

  private fieldCost(node: FieldNode, parent: GraphQLNamedType): number {
    const name = node.name.value;
    if (name === '__typename') return 0;
    if (name === '__schema' || name === '__type') {
      this.fields.add(`Query.${name}`);
      return 1;
    }
    const field = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name] : undefined;
    if (!field) return 0;
    this.note(parent, name);
    const type = getNamedType(field.type);
    const weight = weightOf(`${parent.name}.${name}`, (argument) => this.given.of(node, argument));
    if (isLeafType(type)) return weight;
    const size = this.sizeOf(node, field, parent);
    return size * (1 + (node.selectionSet ? this.costOf(node.selectionSet, type) : 0)) + weight;
  }

  /** An interface stands for every type that has it. */
  private note(parent: GraphQLNamedType, name: string): void {
    const types = isAbstractType(parent) ? this.schema.getPossibleTypes(parent) : [parent];
    for (const type of types) this.fields.add(`${type.name}.${name}`);
  }

  private sizeOf(node: FieldNode, field: GraphQLField<unknown, unknown>, parent: GraphQLNamedType): number {
    for (const [name, usual] of Object.entries(SIZES)) {
      const argument = field.args.find((one) => one.name === name && getNamedType(one.type) === GraphQLInt);
      if (!argument) continue;
      const given = this.numberOf(node, name);
      if (given !== undefined) return Math.max(1, given);
      const other = name === 'first' ? this.numberOf(node, 'last') : undefined;
      return Math.max(1, other ?? (typeof argument.defaultValue === 'number' ? argument.defaultValue : usual));
    }
    const type = isNonNullType(field.type) ? field.type.ofType : field.type;
    // The connection has been multiplied by its size already.
    return isListType(type) && !parent.name.endsWith('Connection') ? SHORT_LIST : 1;
  }

  private numberOf(node: FieldNode, name: string): number | undefined {
    const given = this.given.of(node, name);
    if (given === UNKNOWN) return LARGEST;
    return typeof given === 'number' && Number.isFinite(given) ? given : undefined;
  }

  private typeNamed(name: string | undefined, fallback: GraphQLNamedType): GraphQLNamedType {
    return (name === undefined ? undefined : this.schema.getType(name)) ?? fallback;
  }
}

const remembered = new WeakMap<DocumentNode, OperationFacts>();

/**
 * What the operation of a document asks for; the dearest one where it holds several.
 * @param variables null where they are not known before it runs: then whatever they give counts as the largest
 * @param document that was validated: it is remembered for as long as it lives
 */
export function operationFacts(schema: GraphQLSchema, document: DocumentNode, variables: Variables): OperationFacts {
  const known = remembered.get(document);
  if (known?.constant) return known;
  const operations = document.definitions.filter(
    ({ kind }) => kind === Kind.OPERATION_DEFINITION,
  ) as OperationDefinitionNode[];
  const all = operations.map((operation) => {
    const reckoner = new Reckoner(schema, document, operation, variables);
    const root = schema.getRootType(operation.operation);
    const cost = root ? reckoner.costOf(operation.selectionSet, root) : 0;
    return { operation, cost, fields: reckoner.fields, constant: reckoner.constant };
  });
  const dearest = all.reduce((one, other) => (other.cost > one.cost ? other : one));
  const facts = {
    ...dearest,
    fields: new Set(all.flatMap(({ fields }) => [...fields])),
    constant: all.every(({ constant }) => constant),
  };
  remembered.set(document, facts);
  return facts;
}
