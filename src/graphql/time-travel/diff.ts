import { SIGNALS } from '../../telemetry/signals.js';
import type { PastTwin } from '../../history/twin-at.js';
import type { CarDiff } from './diff.model.js';

/** What changed between two states of one car; a state that is null is that before the first reading. */
export function diffOf(
  before: PastTwin | null,
  after: PastTwin | null,
): Omit<CarDiff, 'from' | 'to' | 'readings' | 'count'> {
  const [was, is] = [before?.twin, after?.twin];
  const signals = SIGNALS.flatMap(({ name, unit }) => {
    const [from, to] = [was?.reported.signals[name] ?? null, is?.reported.signals[name] ?? null];
    const change = from === null || to === null ? null : to - from;
    return from === to ? [] : [{ signal: name, unit, from, to, change }];
  });
  const [wereOpen, areOpen] = [before?.open ?? [], after?.open ?? []];
  const ids = (episodes: PastTwin['open']) => new Set(episodes.map(({ _id }) => _id));
  const [openBefore, openAfter] = [ids(wereOpen), ids(areOpen)];
  const status = [was?.status ?? null, is?.status ?? null] as const;
  const ratio = [was?.score?.ratio ?? null, is?.score?.ratio ?? null] as const;
  return {
    statusFrom: status[0],
    statusTo: status[1],
    ratioFrom: ratio[0],
    ratioTo: ratio[1],
    signals,
    opened: areOpen.filter(({ _id }) => !openBefore.has(_id)).map(({ _id }) => _id),
    cleared: wereOpen.filter(({ _id }) => !openAfter.has(_id)).map(({ _id }) => _id),
  };
}
