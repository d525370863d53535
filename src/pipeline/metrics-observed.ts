import type { Metrics, Stage } from '../metrics/metrics.js';
import type { Observed, Step } from './observer.js';

const STAGE_OF: Readonly<Partial<Record<Step, Stage>>> = {
  decode: 'decode',
  load: 'load',
  lookup: 'load',
  score: 'score',
  commit: 'store',
  publish: 'publish',
};

/** The pipeline's work as Prometheus sees it. */
export function metricsObserved(metrics: Metrics): Observed {
  return {
    step: (step, seconds) => {
      const stage = STAGE_OF[step];
      if (stage) metrics.stage(stage, seconds);
      if (step === 'batch') metrics.batch(seconds);
    },
    applied: ({ counted, readings }, letters) => {
      const { duplicate = 0, expired = 0, late = 0, erased = 0 } = counted;
      metrics.count('decoded', readings.length + duplicate + expired + erased);
      metrics.count('received', readings.length + duplicate + expired + erased + letters.length);
      metrics.count('stored', readings.length);
      metrics.count('unscored', readings.filter(({ unscored }) => unscored !== undefined).length);
      metrics.count('late', late);
      metrics.count('duplicate', duplicate);
      metrics.count('expired', expired);
      metrics.count('erased', erased);
      for (const { reason } of letters) metrics.rejected(reason);
      if (letters.length > 0) metrics.deadLetters(letters.length);
    },
    lag: (topic, partition, records) => metrics.lag(topic, partition, records),
    lost: (records) => metrics.count('lost', records),
    released: (topic, partition) => metrics.lagGone(topic, partition),
  };
}
