import type { ArrayScore } from '../telemetry/array-reading.js';

/** One array of an array topic, as it was sent, with its score. It belongs to no twin. */
export interface ArrayReadingDocument {
  /** array/topic/partition/offset/time of the record: the time tells a topic that was made anew from the one before. */
  readonly _id: string;
  readonly topic: string;
  /** The id in the payload. */
  readonly sender: string;
  /** The Kafka record's time. */
  readonly at: Date;
  readonly values: readonly number[];
  readonly score: ArrayScore | null;
  /** Why there is no score. */
  readonly unscored?: string;
}
