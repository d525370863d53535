// The service as it is, but for one thing: it is killed (SIGKILL) or stopped (SIGSTOP) at the nth time that a step of
// the pipeline ends. CRASH_AT is `step:nth:signal`.
import 'reflect-metadata';
import { startService } from '../../dist/src/service.js';
import { readSettings } from '../../dist/src/settings/settings.js';

const [step, nth, signal] = (process.env.CRASH_AT ?? '').split(':');
let left = Number(nth);
const watch = {
  step: (reached) => {
    if (reached !== step) return;
    left -= 1;
    if (left === 0) process.kill(process.pid, signal);
  },
  applied: () => undefined,
  lag: () => undefined,
  lost: () => undefined,
  released: () => undefined,
};

const service = await startService(readSettings(process.env), watch);
process.on('SIGTERM', () => void service.stop().then(() => process.exit(0)));
