import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { Collections } from '../twin/collections.js';
import { expireCommands } from './command-store.js';

/** ms */
const EVERY = 5_000;

/** Ends commands whose time is over where no bridge does. Any number may run; one that fails tries again. */
@Injectable()
export class CommandExpiry implements OnApplicationBootstrap, OnModuleDestroy {
  private timer: NodeJS.Timeout | null = null;
  private running: Promise<unknown> = Promise.resolve();
  private busy = false;

  constructor(
    private readonly commands: Collections['commands'],
    private readonly clock: () => number,
  ) {}

  onApplicationBootstrap(): void {
    this.timer ??= setInterval(() => {
      if (!this.busy) this.running = this.round();
    }, EVERY);
  }

  async onModuleDestroy(): Promise<void> {
    if (this.timer) clearInterval(this.timer);
    await this.running;
  }

  private async round(): Promise<void> {
    this.busy = true;
    try {
      await expireCommands(this.commands, new Date(this.clock()));
    } catch {
      // MongoDB is away, which the health check tells.
    } finally {
      this.busy = false;
    }
  }
}
