import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withLock } from './file-lock.js';
import { identityOf } from './process-identity.js';

describe('withLock', () => {
  let folder: string;
  let file: string;
  const ignore = (): void => {};

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fleet-twin-lock-'));
    file = join(folder, 'lock');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('lets one in at a time and leaves no file behind', async () => {
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise(setImmediate);
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 5 }, () => withLock(file, ignore, work)));
    expect(most).toBe(1);
    expect(existsSync(file)).toBe(false);
  });

  it('lets go when the work fails', async () => {
    await expect(withLock(file, ignore, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(existsSync(file)).toBe(false);
  });

  it('takes over the lock of a process that has ended', async () => {
    writeFileSync(file, JSON.stringify({ pid: process.pid, startedAt: 'another boot' }));
    await expect(withLock(file, ignore, () => Promise.resolve('done'))).resolves.toBe('done');
  });

  it('takes over a lock that holds no sense', async () => {
    writeFileSync(file, '');
    await expect(withLock(file, ignore, () => Promise.resolve('done'))).resolves.toBe('done');
  });

  it('names the process that it waits for, once', async () => {
    writeFileSync(file, JSON.stringify(identityOf(process.pid)));
    const waited: number[] = [];
    const onWait = (pid: number): void => {
      waited.push(pid);
      rmSync(file);
    };
    await withLock(file, onWait, () => Promise.resolve());
    expect(waited).toEqual([process.pid]);
  });
});
