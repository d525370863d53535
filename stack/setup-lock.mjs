import { createHash } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** One set-up at a time in a checkout: two would remove each other's node_modules. Gives the function that lets go. */
export async function holdSetupLock(project, progress) {
  const name = createHash('sha256').update(project).digest('hex').slice(0, 16);
  const file = join(tmpdir(), `fleet-twin-setup-${name}.lock`);
  let told = false;
  while (!create(file)) {
    const holder = readHolder(file);
    if (holder !== undefined && !isAlive(holder)) removeStale(file, holder);
    else {
      if (!told && holder !== undefined)
        progress.say(`waiting for another set-up of this checkout (process ${holder})`);
      told = true;
      await delay(200);
    }
  }
  const release = () => rmSync(file, { force: true });
  process.once('exit', release);
  return release;
}

/** A hard link appears with its content or not at all. */
function create(file) {
  const own = `${file}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    linkSync(own, file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

/** Moved aside and looked at again: somebody else may have replaced the stale lock by a good one just now. */
function removeStale(file, holder) {
  const aside = `${file}.${process.pid}.stale`;
  try {
    renameSync(file, aside);
    if (readHolder(aside) !== holder) linkSync(aside, file);
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error;
  }
  rmSync(aside, { force: true });
}

function readHolder(file) {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
