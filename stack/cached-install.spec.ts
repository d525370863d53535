import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cached, installOnce } from './cached-install.js';

describe('installOnce', () => {
  let cacheDir: string;
  const progress = { say: () => {}, tick: () => {} };

  beforeEach(() => {
    cacheDir = mkdtempSync(join(tmpdir(), 'fleet-twin-cache-'));
  });
  afterEach(() => rmSync(cacheDir, { recursive: true }));

  it('fills a folder once, however many ask for it at the same time', async () => {
    let fills = 0;
    const install = async (folder: string): Promise<void> => {
      fills += 1;
      await new Promise(setImmediate);
      writeFileSync(join(folder, 'part'), 'whole');
    };
    const folders = await Promise.all([1, 2, 3].map(() => installOnce({ cacheDir, name: 'part', install }, progress)));
    expect(fills).toBe(1);
    expect(new Set(folders)).toEqual(new Set([join(cacheDir, 'part')]));
    expect(readdirSync(cacheDir)).toEqual(['part']);
  });

  it('leaves nothing of an installation that failed', async () => {
    const install = (): Promise<void> => Promise.reject(new Error('no network'));
    await expect(installOnce({ cacheDir, name: 'part', install }, progress)).rejects.toThrow('no network');
    expect(readdirSync(cacheDir)).toEqual([]);
  });

  it('starts afresh where one was killed half-way', async () => {
    mkdirSync(join(cacheDir, 'part'));
    mkdirSync(join(cacheDir, 'part.unfinished-1'));
    writeFileSync(join(cacheDir, 'part', 'half'), '');
    expect(cached(cacheDir, 'part')).toBeUndefined();
    const folder = await installOnce({ cacheDir, name: 'part', install: async () => {}, inPlace: true }, progress);
    expect(existsSync(join(folder, 'half'))).toBe(false);
    expect(cached(cacheDir, 'part')).toBe(folder);
    expect(readdirSync(cacheDir)).toEqual(['part']);
  });
});
