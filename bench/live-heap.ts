/**
 * Loaded into a service by `--import`: collects the garbage five times a second and writes to the file LIVE_HEAP how much was live at
 * most, bytes, buffers included.
 */
import { writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const EVERY = 200;
const file = process.env['LIVE_HEAP'] ?? '';
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
let most = 0;
setInterval(() => {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  most = Math.max(most, heapUsed + external);
  writeFileSync(file, String(most));
}, EVERY).unref();
