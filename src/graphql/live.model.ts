import { Field, Float, ID, ObjectType, createUnionType, registerEnumType } from '@nestjs/graphql';
import type { EpisodeEventType, Severity } from '../twin/documents.js';
import type { EpisodeKind } from '../twin/episode-kind.js';
import type { HandlingEventType } from '../twin/handling-documents.js';
import type { Car } from './car.model.js';
import { AnomalyEventType, AnomalyKind, AnomalySeverity } from './enums.js';
import { HandlingStep, handlingStepOf } from './handling.model.js';
import type { LiveEvent } from './live/anomaly-feed.js';
import type { ResyncReason as Reason } from './live/resync.js';
import { DateTime, Long } from './scalars.js';
import { SignalShare } from './score.model.js';

export const ResyncReason = {
  STORE_CHANGED: 'STORE_CHANGED',
  EVENTS_GONE: 'EVENTS_GONE',
  CURSOR_TOO_OLD: 'CURSOR_TOO_OLD',
  STREAM_LOST: 'STREAM_LOST',
  OVERFLOW: 'OVERFLOW',
} as const satisfies Record<Reason, Reason>;
registerEnumType(ResyncReason, {
  name: 'ResyncReason',
  description: 'Why a subscription cannot tell all that happened since the cursor.',
  valuesMap: {
    STORE_CHANGED: { description: 'The database is another one, or was set back.' },
    EVENTS_GONE: { description: 'Retention has removed events that came next.' },
    CURSOR_TOO_OLD: { description: 'The process does not remember changes that far back.' },
    STREAM_LOST: { description: 'Changes may have been missed while the database was away.' },
    OVERFLOW: { description: 'More cars changed than are kept for a subscriber that does not keep up.' },
  },
});

@ObjectType({ description: 'Said in the place of what cannot be told: query the state anew; the stream goes on.' })
export class ResyncRequired {
  @Field(() => ResyncReason, { description: 'Why.' })
  readonly reason!: Reason;

  @Field(() => String, { description: 'Where the stream goes on: give it to `after`.' })
  readonly cursor!: string;
}

@ObjectType({ description: 'Something that happened to an anomaly.' })
export class AnomalyEvent {
  @Field(() => ID, { description: 'topic/partition/sequence: the same for every subscriber and in Kafka.' })
  readonly id!: string;

  @Field(() => String, { description: 'Everything up to and with this event has been seen: give it to `after`.' })
  readonly cursor!: string;

  @Field(() => AnomalyEventType, { description: 'What happened.' })
  readonly event!: EpisodeEventType | HandlingEventType;

  @Field(() => ID, { description: 'Id of the anomaly.' })
  readonly anomalyId!: string;

  @Field(() => ID, { description: 'Id of the car.' })
  readonly carId!: string;

  @Field(() => AnomalyKind, { description: 'What the anomaly is about.' })
  readonly kind!: EpisodeKind;

  @Field(() => AnomalySeverity, { description: 'Severity from then on.' })
  readonly severity!: Severity;

  @Field(() => Float, {
    nullable: true,
    description: "Score of the reading, in the model's own unit; null where none caused it.",
  })
  readonly value!: number | null;

  @Field(() => Float, {
    description: 'Score / threshold of the reading (no unit); that of the peak where none caused it.',
  })
  readonly ratio!: number;

  @Field(() => DateTime, { description: 'Event time of the reading, or the clock for what a timer or somebody did.' })
  readonly at!: Date;

  @Field(() => DateTime, { description: 'Event time of the opening of the anomaly.' })
  readonly openedAt!: Date;

  @Field(() => DateTime, { description: 'When the event was written, by the clock of the ingest.' })
  readonly recordedAt!: Date;

  @Field(() => [SignalShare], { description: 'The signals blamed most, largest share first.' })
  readonly topSignals!: readonly SignalShare[];

  @Field(() => String, { description: 'name@version of the model that judged; empty where no reading caused it.' })
  readonly model!: string;

  @Field(() => String, { description: 'topic/partition of the reading.' })
  readonly partition!: string;

  @Field(() => Long, { description: 'Number of the event in its partition, from 1 without gaps.' })
  readonly sequence!: number;

  @Field(() => Long, { description: 'Kafka offset of the reading; of the next one where none caused it.' })
  readonly offset!: number;

  @Field(() => HandlingStep, { nullable: true, description: 'What somebody did; null for what happened by itself.' })
  readonly handling!: HandlingStep | null;

  @Field(() => DateTime, {
    nullable: true,
    description: 'The anomaly is snoozed until then: this need not reach people. Null where it is not.',
  })
  readonly snoozedUntil!: Date | null;
}

/** Its `car` is added by the resolver, where the model of a car is known. */
@ObjectType({ description: 'A car that has changed.' })
export class CarUpdate {
  @Field(() => String, { description: 'Everything that changed before this has been seen: give it to `after`.' })
  readonly cursor!: string;

  readonly car!: Car;
}

const isResync = (item: object): item is ResyncRequired => 'reason' in item;

export const AnomalyFeedItem = createUnionType({
  name: 'AnomalyFeedItem',
  description: 'An event, or that some cannot be told.',
  types: () => [AnomalyEvent, ResyncRequired] as const,
  resolveType: (item: object) => (isResync(item) ? ResyncRequired : AnomalyEvent),
});

export const CarFeedItem = createUnionType({
  name: 'CarFeedItem',
  description: 'The newest state of a car, or that some cannot be told.',
  types: () => [CarUpdate, ResyncRequired] as const,
  resolveType: (item: object) => (isResync(item) ? ResyncRequired : CarUpdate),
});

export function eventModel({ event: row, cursor }: LiveEvent): AnomalyEvent {
  const { _id: id, car: carId, episode: anomalyId, handling: done, snoozedUntil = null, ...rest } = row;
  const handling = handlingStepOf(row.event, row.at, done);
  return { id, carId, anomalyId, cursor, ...rest, handling, snoozedUntil };
}
