import { linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { identityOf, isRunning, type ProcessIdentity } from './process-identity.js';

const TAKEOVER_IS_STALE_MS = 10_000;

/**
 * Holds `file` while `work` runs. Waits for a holder that lives; the lock of one that died is taken over.
 * `onWait` is told the holder's pid once.
 */
export async function withLock<T>(file: string, onWait: (pid: number) => void, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(file), { recursive: true });
  await acquire(file, onWait);
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

async function acquire(file: string, onWait: (pid: number) => void): Promise<void> {
  let told = false;
  while (!tryAcquire(file)) {
    const holder = readHolder(file);
    if (holder !== undefined && isRunning(holder)) {
      if (!told) onWait(holder.pid);
      told = true;
      await delay(200);
    } else if (!removeStale(file)) await delay(50);
  }
}

/** A hard link appears with its content or not at all, so nobody reads a lock that is half written. */
function tryAcquire(file: string): boolean {
  const own = `${file}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  writeFileSync(own, JSON.stringify(identityOf(process.pid)));
  try {
    linkSync(own, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

/** Only one waiter at a time may remove a stale lock: two would remove each other's new ones. */
function removeStale(file: string): boolean {
  const takeover = `${file}.takeover`;
  if (!tryAcquire(takeover)) {
    if (ageOf(takeover) > TAKEOVER_IS_STALE_MS) rmSync(takeover, { force: true });
    return false;
  }
  try {
    const holder = readHolder(file);
    if (holder === undefined || !isRunning(holder)) rmSync(file, { force: true });
    return true;
  } finally {
    rmSync(takeover, { force: true });
  }
}

function readHolder(file: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity;
  } catch {
    return undefined;
  }
}

function ageOf(file: string): number {
  try {
    return Date.now() - statSync(file).mtimeMs;
  } catch {
    return 0;
  }
}
