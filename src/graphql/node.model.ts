import { Field, ID, InterfaceType, ObjectType } from '@nestjs/graphql';

/** What a node is, told by its id alone: a car id has no slash, a command's one, an episode's two, a reading's three, an array's four. */
export type NodeKind = 'Car' | 'Command' | 'Anomaly' | 'Reading' | 'ArrayReading';

const BY_SLASHES: readonly NodeKind[] = ['Car', 'Command', 'Anomaly', 'Reading', 'ArrayReading'];

export function nodeKind(id: string): NodeKind | null {
  return BY_SLASHES[id.split('/').length - 1] ?? null;
}

@InterfaceType({
  description: 'Anything with an id of its own.',
  resolveType: (value: { id: string }) => nodeKind(value.id),
})
export abstract class Node {
  @Field(() => ID, { description: 'Unique among all nodes.' })
  readonly id!: string;
}

@ObjectType({ description: 'Where a page lies in its connection.' })
export class PageInfo {
  @Field(() => Boolean, { description: 'Whether there is more behind this page.' })
  readonly hasNextPage!: boolean;

  @Field(() => Boolean, { description: 'Whether there is more before this page.' })
  readonly hasPreviousPage!: boolean;

  @Field(() => String, { nullable: true, description: 'Cursor of the first edge; null on an empty page.' })
  readonly startCursor!: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Where the page ends: cursor of the last edge, or of a car behind it that is gone; null where nothing was read.',
  })
  readonly endCursor!: string | null;
}
