import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { identityOf, isRunning, type ProcessIdentity } from './process-identity.js';
import { allRecords, endLeftovers, isOwned, writeRecord, type StackRecord } from './stack-record.js';

describe('endLeftovers', () => {
  let folder: string;
  let cacheDir: string;
  let dataDir: string;
  let child: ChildProcess;
  let server: ProcessIdentity;
  const killedOwner = { pid: process.pid, startedAt: 'earlier' };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fleet-twin-record-'));
    cacheDir = join(folder, 'cache');
    dataDir = join(folder, 'data');
    mkdirSync(dataDir);
    child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' });
    server = identityOf(child.pid ?? 0) ?? { pid: 0, startedAt: '' };
  });
  afterEach(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  const record = (owner: ProcessIdentity | undefined, temporary = true): StackRecord => {
    const parts = { mqtt: { server: 'mosquitto', url: 'mqtt://127.0.0.1:1', process: server } };
    return { dataDir, temporary, startedAt: '2026-01-01T00:00:00Z', parts, ...(owner && { owner }) };
  };

  it('ends the servers of a run that was killed, and removes its temporary folder', async () => {
    writeRecord(cacheDir, record(killedOwner));
    const lines = await endLeftovers(cacheDir);
    expect(lines).toEqual([expect.stringContaining(`pid ${server.pid}`)]);
    expect(isRunning(server)).toBe(false);
    expect(existsSync(dataDir)).toBe(false);
    expect(allRecords(cacheDir)).toEqual([]);
  });

  it('keeps the data of a run that was told where they are', async () => {
    writeRecord(cacheDir, record(killedOwner, false));
    await endLeftovers(cacheDir);
    expect(isRunning(server)).toBe(false);
    expect(existsSync(dataDir)).toBe(true);
  });

  it('finds leftovers in the data folder when the cache is another one', async () => {
    writeRecord(join(folder, 'former cache'), record(killedOwner, false));
    expect(await endLeftovers(cacheDir, dataDir)).toHaveLength(1);
    expect(isRunning(server)).toBe(false);
  });

  it('leaves the servers of a run alone that goes on', async () => {
    writeRecord(cacheDir, record(identityOf(process.pid)));
    expect(await endLeftovers(cacheDir)).toEqual([]);
    expect(isRunning(server)).toBe(true);
  });

  it('leaves what was left running on purpose, until all of it has ended', async () => {
    const detached = record(undefined, false);
    writeRecord(cacheDir, detached);
    expect(await endLeftovers(cacheDir)).toEqual([]);
    expect(isRunning(server)).toBe(true);
    expect(isOwned(detached)).toBe(true);
    expect(isOwned({ ...detached, parts: {} })).toBe(false);
  });
});
