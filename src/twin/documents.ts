import type { Binary } from 'mongodb';
import type { MechanicalScore, ScoreMemory, SignalShare } from '../telemetry/score.js';
import type { Signals } from '../telemetry/signals.js';
import type { CarAttributes } from './car-documents.js';
import type { EpisodeKind } from './episode-kind.js';
import type { EpisodeHandling, HandlingEntry, HandlingEventType } from './handling-documents.js';

/** NORMAL: nothing above the threshold of late; SUSPECT: some, not yet enough for an episode; ANOMALOUS: an open mechanical episode. */
export const STATUSES = ['NORMAL', 'SUSPECT', 'ANOMALOUS'] as const;
export type Status = (typeof STATUSES)[number];

/** In rising order. */
export const SEVERITIES = ['MINOR', 'MAJOR', 'CRITICAL'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** The newest reading of a car by (event time, hash of the signals). */
export interface Reported {
  readonly at: Date;
  /** The Kafka record's time. */
  readonly receivedAt: Date;
  readonly hash: number;
  readonly signals: Signals;
}

export interface TwinScore {
  readonly value: number;
  readonly threshold: number;
  /** value / threshold */
  readonly ratio: number;
  readonly anomalous: boolean;
  /** The share of normal readings that score lower, 0..1. */
  readonly worseThan?: number;
  readonly model: string;
  readonly topSignals: readonly SignalShare[];
  /** See `Score`; in rows of the history only. */
  readonly mechanical?: MechanicalScore;
}

/** What the twin keeps of an episode that is open: all that the next reading needs, so that no episode has to be read. */
export interface OpenEpisode {
  /** `_id` of the episode. */
  readonly id: string;
  readonly severity: Severity;
  /** When the present severity was last reached, event time; the timed downgrade counts from here. */
  readonly severityAt: Date;
  /** Readings in a row below the hysteresis band. */
  readonly calm: number;
  readonly readings: number;
  readonly peakRatio: number;
  /** Events so far; the timeline holds the first TIMELINE_CAP of them. */
  readonly entries: number;
  /** Until then what happens to it is not to reach people. */
  readonly snoozedUntil?: Date;
}

export interface Counters {
  /** Readings in the history: every one that is neither a duplicate nor expired nor erased. */
  readonly readings: number;
  readonly late: number;
  readonly duplicate: number;
  readonly expired: number;
  readonly rejected: number;
}

/** One car. Written by ingest; of the API only `attributes`, which moves the revision on. */
export interface Twin {
  readonly _id: string;
  readonly revision: number;
  readonly reported: Reported;
  readonly score: TwinScore | null;
  readonly status: Status;
  readonly counters: Counters;
  readonly firstSeenAt: Date;
  readonly lastSeenAt: Date;
  /** Where the newest applied record lies; for information only. */
  readonly source: { readonly topic: string; readonly partition: number; readonly offset: number };
  readonly openEpisodes: Readonly<Partial<Record<EpisodeKind, OpenEpisode>>>;
  /** Mechanical kinds blamed by the last n readings, oldest first; null where a reading lay below the threshold. */
  readonly recent: readonly (EpisodeKind | null)[];
  /** Readings in a row, up to the newest, that showed an outdated firmware, at most k of k-of-n; not there for none. */
  readonly noticed?: number;
  /**
   * Event time of the newest clearing by kind (NO_DATA: of its opening); the next episode opens only after it, so that no id
   * is used twice.
   */
  readonly cleared: Readonly<Partial<Record<EpisodeKind, Date>>>;
  /** The furthest time that the car ever sent ahead of the clock: up to it, readings may have been stored under another. */
  readonly skewedUpTo?: Date;
  readonly memory: ScoreMemory | null;
  /** A copy of the car's attributes; not there without any. */
  readonly attributes?: CarAttributes;
  /** What shadow models remember, where they remember other things than the model in use. */
  readonly shadowMemory?: readonly ShadowMemory[];
}

export interface ShadowMemory {
  readonly model: string;
  readonly memory: ScoreMemory;
}

/** What a shadow model said about a reading. */
export interface ShadowScore {
  readonly model: string;
  readonly value: number;
  readonly threshold: number;
  readonly anomalous: boolean;
}

/** One row of the history. `_id` is the position of the record: see `readingId`. */
export interface ReadingDocument {
  readonly _id: string;
  readonly car: string;
  readonly at: Date;
  readonly receivedAt: Date;
  readonly hash: number;
  readonly signals: Signals;
  readonly label?: boolean;
  /** The time that the car sent where it lay too far ahead; duplicates are found by it. */
  readonly skewedAt?: Date;
  readonly late?: true;
  readonly score?: Omit<TwinScore, 'ratio'>;
  /** Why there is no score. */
  readonly unscored?: string;
  readonly shadows?: readonly ShadowScore[];
}

export interface PositionCounts {
  readonly stored: number;
  readonly late: number;
  readonly duplicate: number;
  readonly expired: number;
  readonly erased: number;
  readonly rejected: number;
  readonly lost: number;
}

/** How far a partition has been applied, and who may apply: the fence. `_id` is `topic/partition`. */
export interface PositionDocument {
  readonly _id: string;
  readonly epoch: number;
  /** First offset not yet applied. */
  readonly next: number;
  /** First offset whose prediction is not known to be published. */
  readonly published: number;
  /** Events of this partition so far; the newest event's sequence. */
  readonly eventSequence: number;
  /** The newest event known to be published. */
  readonly eventsPublished: number;
  /** Counts how often the topic was made anew. */
  readonly incarnation: number;
  readonly clusterId: string;
  /** Time and hash of record `next` − 1, by which a topic made anew is recognised. */
  readonly last: { readonly timestamp: number; readonly hash: string } | null;
  readonly counts: PositionCounts;
  /** Revision of the models in use that scored the newest batch; a partition never goes back to an older one. */
  readonly modelRevision?: number;
  /** Who holds the epoch; for people. */
  readonly holder: string;
  /** The logical session of the holder's transactions: whoever takes over ends what it left open. */
  readonly session?: Binary;
  readonly updatedAt: Date;
}

export const EPISODE_EVENTS = ['OPENED', 'ESCALATED', 'DOWNGRADED', 'CLEARED'] as const;
export type EpisodeEventType = (typeof EPISODE_EVENTS)[number];

export interface TimelineEntry {
  readonly event: EpisodeEventType;
  /** Event time of the reading, or the clock for what a timer did. */
  readonly at: Date;
  readonly severity: Severity;
  readonly ratio: number;
  readonly partition: string;
  readonly offset: number;
  readonly sequence: number;
}

/**
 * One anomaly episode. Ingest writes all but `handling`. `_id` is car/kind/`openedAt`: the event time of the reading that opened
 * it, or of the last one before a silence.
 */
export interface EpisodeDocument {
  readonly _id: string;
  readonly car: string;
  readonly kind: EpisodeKind;
  readonly status: 'OPEN' | 'CLEARED';
  readonly severity: Severity;
  readonly openedAt: Date;
  /** Event time of the newest reading that belongs to it. */
  readonly updatedAt: Date;
  readonly clearedAt: Date | null;
  /** The worst reading; null where there is none (NO_DATA), with an empty model and no top signals. */
  readonly peak: { readonly value: number; readonly ratio: number; readonly at: Date } | null;
  /** Anomalous readings in it. */
  readonly readings: number;
  readonly topSignals: readonly SignalShare[];
  readonly model: string;
  /** Append-only, at most TIMELINE_CAP entries: further ones are only counted. */
  readonly timeline: readonly TimelineEntry[];
  readonly timelineDropped: number;
  /** The fleet that the car belongs to; moves with the car. */
  readonly fleet?: string;
  readonly handling?: EpisodeHandling;
}

/**
 * The outbox: every event of an episode, written in the transaction that caused it. Kafka's `car-anomalies` and the
 * subscriptions are both fed from here. `_id` is topic/partition/sequence, zero-padded, so that a range of ids is a
 * range of events and a gap in the sequence shows.
 */
export interface EpisodeEventDocument {
  readonly _id: string;
  /** `topic/partition` */
  readonly partition: string;
  readonly sequence: number;
  readonly offset: number;
  readonly event: EpisodeEventType | HandlingEventType;
  readonly episode: string;
  readonly car: string;
  readonly kind: EpisodeKind;
  readonly severity: Severity;
  /** The score of the reading that caused it; null, with an empty model and no top signals, where a timer or somebody did. */
  readonly value: number | null;
  /** Score / threshold of that reading; the episode's peak where none caused it. */
  readonly ratio: number;
  readonly at: Date;
  readonly openedAt: Date;
  readonly topSignals: readonly SignalShare[];
  readonly model: string;
  readonly recordedAt: Date;
  /** The fleet that the car belonged to. */
  readonly fleet?: string;
  /** What somebody did, for events of the handling; `at` is then the API's clock. */
  readonly handling?: Omit<HandlingEntry, 'event' | 'at'>;
  /** The episode was snoozed beyond `recordedAt`: not to reach people. */
  readonly snoozedUntil?: Date;
}
