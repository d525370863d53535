import type { Type } from '@nestjs/common';
import { Field, ObjectType } from '@nestjs/graphql';
import { ApiError } from './api-error.js';
import { PageInfo } from './node.model.js';

export const LARGEST_PAGE = 500;
export const DEFAULT_PAGE = 50;

export interface Edge<T> {
  readonly cursor: string;
  readonly node: T;
}

export interface Connection<T> {
  readonly edges: readonly Edge<T>[];
  readonly nodes: readonly T[];
  readonly pageInfo: PageInfo;
}

/** The edge type and the fields that every connection of `node` has. */
export function connectionOf<T>(node: Type<T>, name: string, what: string) {
  @ObjectType(`${name}Edge`, { description: `One of ${what} with its place.` })
  class NodeEdge {
    @Field(() => String, { description: 'Opaque and stable: give it to `after` or `before`.' })
    readonly cursor!: string;

    @Field(() => node, { description: `One of ${what}.` })
    readonly node!: T;
  }

  @ObjectType({ isAbstract: true })
  abstract class NodeConnection {
    @Field(() => [NodeEdge], { description: 'The page, in order.' })
    readonly edges!: NodeEdge[];

    @Field(() => [node], { description: 'The page without cursors.' })
    readonly nodes!: T[];

    @Field(() => PageInfo, { description: 'Where this page lies.' })
    readonly pageInfo!: PageInfo;
  }
  return NodeConnection;
}

/**
 * The size of a page.
 * @throws ApiError PAGE_TOO_LARGE, BAD_ARGUMENT
 */
export function pageSize(size: number | null | undefined): number {
  const count = size ?? DEFAULT_PAGE;
  if (count < 0) throw new ApiError('BAD_ARGUMENT', 'A page cannot have fewer than 0 entries');
  if (count > LARGEST_PAGE) throw new ApiError('PAGE_TOO_LARGE', `A page has at most ${LARGEST_PAGE} entries`);
  return count;
}

export interface PageOptions {
  readonly backwards?: boolean;
  /** The page begins behind a cursor. */
  readonly started?: boolean;
  /** Whether there is more, where the rows do not tell. */
  readonly more?: boolean;
  /** Where the page ends, where rows behind its last one were left out. */
  readonly end?: string | null;
}

/** A page out of one more row than was asked for, which tells whether there are more. */
export function pageOf<R, T>(
  rows: readonly R[],
  count: number,
  entry: (row: R) => Edge<T>,
  { backwards = false, started = false, more = rows.length > count, end = null }: PageOptions = {},
): Connection<T> {
  const edges = rows.slice(0, count).map(entry);
  if (backwards) edges.reverse();
  return {
    edges,
    nodes: edges.map(({ node }) => node),
    pageInfo: {
      hasNextPage: backwards ? started : more,
      hasPreviousPage: backwards ? more : started,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: end ?? edges.at(-1)?.cursor ?? null,
    },
  };
}
