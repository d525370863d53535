import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

export function folderMegabytes(folder: string): number {
  return Math.round(folderBytes(folder) / 1e6);
}

/** Files come and go while this looks; what cannot be read counts as nothing. */
function folderBytes(folder: string): number {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.reduce((sum, entry) => sum + bytesOf(join(folder, entry.name), entry.isDirectory()), 0);
  } catch {
    return 0;
  }
}

function bytesOf(path: string, isFolder: boolean): number {
  return isFolder ? folderBytes(path) : (statSync(path, { throwIfNoEntry: false })?.size ?? 0);
}
