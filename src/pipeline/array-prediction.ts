import type { OutRecord } from '../kafka/out-record.js';
import type { ArrayReadingDocument } from '../twin/array-documents.js';
import { positionOfArray } from '../twin/ids.js';

/** A prediction says what its row says, so that it can be made again from there. */
export function arrayPredictionRecord(topic: string, row: ArrayReadingDocument): OutRecord {
  const value = {
    id: row._id,
    sender: row.sender,
    at: row.at.toISOString(),
    score: row.score?.value ?? null,
    threshold: row.score?.threshold ?? null,
    anomalous: row.score?.anomalous ?? null,
    errors: row.score?.errors ?? null,
    model: row.score?.model ?? null,
    ...(row.unscored === undefined ? {} : { unscored: row.unscored }),
    position: positionOfArray(row._id),
  };
  return { topic, key: row.sender, value: Buffer.from(JSON.stringify(value)), headers: { id: row._id } };
}
