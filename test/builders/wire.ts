import type { SourceRecord } from '../../src/kafka/record-batch.js';
import type { DecodedRecord } from '../../src/pipeline/decoded-record.js';
import { SIGNALS, noSignals } from '../../src/telemetry/signals.js';

/** The decode stage for what `wireOf` writes, where a test is not about decoding. Anything else is rejected. */
export function readingOfWire(record: SourceRecord): DecodedRecord {
  const car = record.key?.toString() ?? '';
  const body = parsed(record.value);
  if (!body) {
    const rejection = { kind: 'rejected', stage: 'decode', reason: 'NOT_JSON', detail: 'no JSON', car } as const;
    return { record, decoded: rejection };
  }
  const signals = noSignals();
  for (const { name, wire } of SIGNALS) signals[name] = body[wire] ?? null;
  const reading = { car, at: body['timestamp'] ?? record.timestamp, skewedAt: null, signals, label: null };
  return { record, decoded: { kind: 'reading', reading } };
}

function parsed(value: Buffer | null): Record<string, number> | null {
  try {
    return JSON.parse(value?.toString() ?? '') as Record<string, number>;
  } catch {
    return null;
  }
}
