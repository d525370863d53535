import { createHash } from 'node:crypto';
import type { LogBounds } from '../kafka/log-offsets.js';
import type { SourceRecord } from '../kafka/record-batch.js';
import type { PositionDocument } from '../twin/documents.js';

/**
 * Whether a log is the one that a position speaks of. `made-anew`: it is not (the topic was deleted and made again, or
 * its end was lost); `read-back`: the record before `next` tells; `take-as-is`: nothing is left to compare.
 */
export type LogVerdict = 'made-anew' | 'read-back' | 'take-as-is';

export function judgeLog({ next, last, clusterId }: PositionDocument, log: LogBounds): LogVerdict {
  if (next > log.high) return 'made-anew';
  if (last === null) return 'take-as-is';
  if (next > log.low) return 'read-back';
  return clusterId === '' || clusterId === log.clusterId ? 'take-as-is' : 'made-anew';
}

/** What a position remembers of the last record that it covers. */
export function fingerprint({ timestamp, key, value }: SourceRecord): { timestamp: number; hash: string } {
  const hash = createHash('sha256');
  for (const part of [key, value]) hash.update(`${part?.length ?? 'null'}:`).update(part ?? '');
  return { timestamp, hash: hash.digest('hex').slice(0, 32) };
}

export function isSameRecord(record: SourceRecord, last: PositionDocument['last']): boolean {
  const { timestamp, hash } = fingerprint(record);
  return last !== null && last.timestamp === timestamp && last.hash === hash;
}

/** Offsets that retention removed before they were applied. A partition that was never applied has lost nothing. */
export function lostBefore({ next, last }: PositionDocument, log: LogBounds): number {
  return last === null && next === 0 ? 0 : Math.max(0, log.low - next);
}
