export const RESYNC_REASONS = ['STORE_CHANGED', 'EVENTS_GONE', 'CURSOR_TOO_OLD', 'STREAM_LOST', 'OVERFLOW'] as const;
export type ResyncReason = (typeof RESYNC_REASONS)[number];

/** Said in the place of what cannot be told any more; the stream goes on behind it. */
export interface Resync {
  readonly reason: ResyncReason;
  readonly cursor: string;
}
