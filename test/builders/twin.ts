import type { Twin } from '../../src/twin/documents.js';
import { SOME_INSTANT, someSignals } from './reading.js';

export function someTwin(overrides: Partial<Twin> = {}): Twin {
  const at = new Date(SOME_INSTANT);
  return {
    _id: 'car-1',
    revision: 1,
    reported: { at, receivedAt: new Date(SOME_INSTANT + 50), hash: 1, signals: someSignals() },
    score: someScore(0.5),
    status: 'NORMAL',
    counters: { readings: 1, late: 0, duplicate: 0, expired: 0, rejected: 0 },
    firstSeenAt: at,
    lastSeenAt: at,
    source: { topic: 'sensor-data', partition: 0, offset: 0 },
    openEpisodes: {},
    recent: [],
    cleared: {},
    memory: null,
    ...overrides,
  };
}

export function someScore(ratio: number): NonNullable<Twin['score']> {
  const threshold = 0.01;
  return {
    value: ratio * threshold,
    threshold,
    ratio,
    anomalous: ratio > 1,
    model: 'default@1',
    topSignals: [{ signal: 'tirePressure11', share: 0.7 }],
  };
}
