import type { CanonicalEncoder } from '../decode/canonical-avro.js';
import type { OutRecord } from '../kafka/out-record.js';
import type { ReadingDocument } from '../twin/documents.js';

/** Rows of the history as records of the topic of canonical readings, in their order. */
export type Normalise = (rows: readonly ReadingDocument[]) => Promise<OutRecord[]>;

/** Keyed by car; the header `id` is the row's, by which a consumer knows a record that was published again. */
export function normaliser(topic: string, encoder: CanonicalEncoder): Normalise {
  return async (rows) => {
    const readings = rows.map(({ car, at, signals, label }) => ({
      car,
      at: at.getTime(),
      signals,
      label: label ?? null,
    }));
    const encoded = await encoder.encode(readings);
    return rows.flatMap(({ _id, car }, index) => {
      const one = encoded[index];
      return one ? [{ topic, key: car, value: one.value, headers: { id: _id, ...one.headers } }] : [];
    });
  };
}

/** Where nobody wants canonical readings. */
export const normaliseNothing: Normalise = () => Promise.resolve([]);
