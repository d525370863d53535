import { expect } from 'vitest';
import { LiveFeeds } from '../../src/graphql/live/live-feeds.js';
import type { Api } from './api.js';
import { Subscriber } from './subscriber.js';

/**
 * Resolves when the subscription stands, so that what is written next is live.
 * @param open takes the subscriber before it stands, so that it is closed whatever happens
 */
export async function standing<T>(
  api: Api,
  query: string,
  variables: Record<string, unknown>,
  open: Subscriber<T>[],
): Promise<Subscriber<T>> {
  const feeds = api.app.get(LiveFeeds);
  const before = feeds.subscribers;
  const subscriber = new Subscriber<T>(api.url, query, variables);
  open.push(subscriber);
  await expect.poll(() => feeds.subscribers, { timeout: 20_000 }).toBe(before + 1);
  return subscriber;
}
