/** What people do with an episode, each of it an event as those of the episode itself are. */
export const HANDLING_EVENTS = ['ACKNOWLEDGED', 'ASSIGNED', 'COMMENTED', 'SNOOZED', 'LABELLED'] as const;
export type HandlingEventType = (typeof HANDLING_EVENTS)[number];

/** TRUE: something was wrong; FALSE: nothing was; KNOWN: something was, and nobody needs to be told. */
export const LABELS = ['TRUE', 'FALSE', 'KNOWN'] as const;
export type Label = (typeof LABELS)[number];

/** Who did what, and when by the API's clock. */
export interface HandlingEntry {
  readonly event: HandlingEventType;
  readonly at: Date;
  readonly by: string;
  readonly comment?: string;
  /** null: nobody any more */
  readonly assignee?: string | null;
  /** null: no longer */
  readonly snoozedUntil?: Date | null;
  readonly label?: Label;
}

/** What people did with an episode; written by the API only. The newest of everything, and all of it. */
export interface EpisodeHandling {
  readonly acknowledgedAt?: Date;
  readonly acknowledgedBy?: string;
  readonly assignee?: string | null;
  readonly snoozedUntil?: Date | null;
  readonly label?: Label;
  /** Append-only; at most HANDLING_CAP entries, further ones are refused. */
  readonly timeline?: readonly HandlingEntry[];
}

/**
 * Not yet told: written by the API in the transaction that changed the episode, removed by ingest in the one that made an event of
 * it. `_id` is the episode's and the entry's place in its timeline.
 */
export interface HandlingDocument {
  readonly _id: string;
  readonly car: string;
  readonly episode: string;
  readonly entry: HandlingEntry;
}
