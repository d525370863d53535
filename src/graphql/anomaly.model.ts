import { Field, Float, ID, Int, ObjectType } from '@nestjs/graphql';
import type { EpisodeDocument, EpisodeEventType, Severity, TimelineEntry } from '../twin/documents.js';
import type { EpisodeKind } from '../twin/episode-kind.js';
import type { Car } from './car.model.js';
import { connectionOf } from './connection.js';
import { AnomalyEventType, AnomalyKind, AnomalySeverity, AnomalyStatus } from './enums.js';
import { AnomalyHandling, handlingModel } from './handling.model.js';
import { Node } from './node.model.js';
import { DateTime, Long } from './scalars.js';
import { SignalShare } from './score.model.js';

@ObjectType({ description: 'The worst reading of an anomaly.' })
export class Peak {
  @Field(() => Float, { description: "Its score, in the model's own unit." })
  readonly value!: number;

  @Field(() => Float, { description: 'Its score / threshold (no unit).' })
  readonly ratio!: number;

  @Field(() => DateTime, { description: 'Its event time.' })
  readonly at!: Date;
}

@ObjectType({ description: 'One step in the life of an anomaly.' })
export class TimelineStep {
  @Field(() => AnomalyEventType, { description: 'What happened.' })
  readonly event!: EpisodeEventType;

  @Field(() => DateTime, { description: 'Event time of the reading, or the clock for what a timer did.' })
  readonly at!: Date;

  @Field(() => AnomalySeverity, { description: 'Severity from then on.' })
  readonly severity!: Severity;

  @Field(() => Float, { description: 'Score / threshold then (no unit).' })
  readonly ratio!: number;

  @Field(() => String, { description: 'topic/partition of the reading.' })
  readonly partition!: string;

  @Field(() => Long, { description: 'Kafka offset of the reading.' })
  readonly offset!: number;

  @Field(() => Long, { description: 'Number of the event in its partition, from 1 without gaps; 0 in the past.' })
  readonly sequence!: number;
}

@ObjectType({ implements: () => [Node], description: 'An anomaly episode: from the opening to the clearing.' })
export class Anomaly implements Node {
  @Field(() => ID, { description: 'car/kind/event time of the opening.' })
  readonly id!: string;

  @Field(() => ID, { description: 'Id of the car.' })
  readonly carId!: string;

  /** Of the past: the car that it is shown with. */
  readonly carThen?: Car;

  @Field(() => AnomalyKind, { description: 'What it is about.' })
  readonly kind!: EpisodeKind;

  @Field(() => AnomalyStatus, { description: 'Whether it goes on.' })
  readonly status!: EpisodeDocument['status'];

  @Field(() => AnomalySeverity, { description: 'Present severity, or the last one.' })
  readonly severity!: Severity;

  @Field(() => DateTime, { description: 'Event time of the reading that opened it; NO_DATA: of the last one.' })
  readonly openedAt!: Date;

  @Field(() => DateTime, { description: 'Event time of the newest reading that belongs to it.' })
  readonly updatedAt!: Date;

  @Field(() => DateTime, { nullable: true, description: 'Event time of the reading that cleared it.' })
  readonly clearedAt!: Date | null;

  @Field(() => Peak, { nullable: true, description: 'The worst reading; null for NO_DATA, where there is none.' })
  readonly peak!: Peak | null;

  @Field(() => Int, { description: 'Anomalous readings in it (a number).' })
  readonly readings!: number;

  @Field(() => [SignalShare], { description: 'The signals blamed most, largest share first.' })
  readonly topSignals!: readonly SignalShare[];

  @Field(() => String, { description: 'name@version of the model that judged; empty for NO_DATA.' })
  readonly model!: string;

  @Field(() => [TimelineStep], { description: 'What happened, oldest first.' })
  readonly timeline!: readonly TimelineEntry[];

  @Field(() => Int, { description: 'Steps left out of the timeline because it was full (a number).' })
  readonly timelineDropped!: number;

  @Field(() => AnomalyHandling, { description: 'What people did with it.' })
  readonly handling!: AnomalyHandling;
}

@ObjectType({ description: 'A page of anomalies, newest first.' })
export class AnomalyConnection extends connectionOf(Anomaly, 'Anomaly', 'the anomalies') {}

export function anomalyModel(episode: EpisodeDocument): Anomaly {
  const { _id: id, car: carId, handling, ...rest } = episode;
  return { id, carId, ...rest, handling: handlingModel(handling) };
}
