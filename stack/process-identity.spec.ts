import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { endProcess, identityOf, isRunning, type ProcessIdentity } from './process-identity.js';

describe('endProcess', () => {
  let child: ChildProcess | undefined;
  afterEach(() => child?.kill('SIGKILL'));

  const start = (...args: string[]): ProcessIdentity => {
    child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
    const identity = identityOf(child.pid ?? 0);
    if (identity === undefined) throw new Error('the child did not start');
    return identity;
  };

  it('ends a process that is the one it was', async () => {
    const identity = start('-e', 'setInterval(() => {}, 1000)');
    expect(isRunning(identity)).toBe(true);
    await endProcess(identity);
    expect(isRunning(identity)).toBe(false);
  });

  it('kills one that does not listen', async () => {
    const identity = start('-e', "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('up')");
    if (child?.stdout) await once(child.stdout, 'data');
    await endProcess(identity, 50);
    expect(isRunning(identity)).toBe(false);
  });

  it('leaves a program alone that was given the same pid later', async () => {
    const identity = start('-e', 'setInterval(() => {}, 1000)');
    await endProcess({ ...identity, startedAt: 'earlier' });
    expect(isRunning(identity)).toBe(true);
  });

  it('knows no process that has ended', async () => {
    const identity = start('-e', '');
    if (child) await once(child, 'exit');
    expect(isRunning(identity)).toBe(false);
  });
});
