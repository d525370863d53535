import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/**
 * Collects the garbage now; some 50 ms where 50 MB are live. V8 waits for a heap several times as large, the longer the
 * busier the machine is, and what it has once taken it hardly gives back: training, which makes garbage as fast as it
 * reads, would need half as much memory again.
 */
export function collectGarbage(): void {
  collect();
}
