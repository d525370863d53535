import { setTimeout as pause } from 'node:timers/promises';
import type { ChangeStream } from 'mongodb';
import type { CommandDocument } from '../twin/command-documents.js';
import type { Collections } from '../twin/collections.js';

const PAUSE = 2_000;

/**
 * Calls when a command is queued. It needs no resume token and may miss some, because whoever is called looks for
 * everything that is due, and does so every second without being called, too.
 */
export class CommandWatch {
  private readonly stopping = new AbortController();
  private stream: ChangeStream<CommandDocument> | null = null;
  private readonly following: Promise<void>;

  constructor(
    private readonly commands: Collections['commands'],
    private readonly queued: () => void,
  ) {
    this.following = this.follow();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.stream?.close().catch(() => undefined);
    await this.following;
  }

  private async follow(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const stream = this.commands.watch([{ $match: { operationType: 'insert' } }], { maxAwaitTimeMS: 1_000 });
      this.stream = stream;
      try {
        while (!signal.aborted && !stream.closed) if (await stream.tryNext()) this.queued();
      } catch {
        // The round that comes every second tells what is wrong with MongoDB.
      } finally {
        await stream.close().catch(() => undefined);
      }
      await pause(PAUSE, undefined, { signal }).catch(() => undefined);
    }
  }
}
