import { Field, ID, ObjectType } from '@nestjs/graphql';
import type { EpisodeHandling, HandlingEntry, HandlingEventType, Label } from '../twin/handling-documents.js';
import { AnomalyEventType, AnomalyLabel } from './enums.js';
import { DateTime } from './scalars.js';

@ObjectType({ description: 'Something that somebody did with an anomaly.' })
export class HandlingStep {
  @Field(() => AnomalyEventType, { description: 'What was done.' })
  readonly event!: HandlingEventType;

  @Field(() => DateTime, { description: 'When, by the clock of the API.' })
  readonly at!: Date;

  @Field(() => ID, { description: 'Who did it, as they said.' })
  readonly by!: string;

  @Field(() => String, { nullable: true, description: 'What was said.' })
  readonly comment?: string | null;

  @Field(() => ID, { nullable: true, description: 'ASSIGNED: to whom; null takes it from everybody.' })
  readonly assignee?: string | null;

  @Field(() => DateTime, { nullable: true, description: 'SNOOZED: until when; null wakes it.' })
  readonly snoozedUntil?: Date | null;

  @Field(() => AnomalyLabel, { nullable: true, description: 'LABELLED: as what.' })
  readonly label?: Label | null;
}

@ObjectType({ description: 'What people did with an anomaly: the newest of everything, and all of it.' })
export class AnomalyHandling {
  @Field(() => DateTime, { nullable: true, description: 'When it was last acknowledged.' })
  readonly acknowledgedAt!: Date | null;

  @Field(() => ID, { nullable: true, description: 'Who acknowledged it last.' })
  readonly acknowledgedBy!: string | null;

  @Field(() => ID, { nullable: true, description: 'Who has it in hand.' })
  readonly assignee!: string | null;

  @Field(() => DateTime, { nullable: true, description: 'Until when nobody wants to hear of it; may lie in the past.' })
  readonly snoozedUntil!: Date | null;

  @Field(() => AnomalyLabel, { nullable: true, description: 'What it turned out to be.' })
  readonly label!: Label | null;

  @Field(() => [HandlingStep], { description: 'Everything that was done, oldest first.' })
  readonly timeline!: readonly HandlingStep[];
}

export function handlingModel(handling: EpisodeHandling = {}): AnomalyHandling {
  const { acknowledgedAt, acknowledgedBy, assignee, snoozedUntil, label, timeline } = handling;
  return {
    acknowledgedAt: acknowledgedAt ?? null,
    acknowledgedBy: acknowledgedBy ?? null,
    assignee: assignee ?? null,
    snoozedUntil: snoozedUntil ?? null,
    label: label ?? null,
    timeline: timeline ?? [],
  };
}

/** What an event of the handling says of it; null for events of the anomaly itself. */
export function handlingStepOf(
  event: string,
  at: Date,
  handling: Omit<HandlingEntry, 'event' | 'at'> | undefined,
): HandlingStep | null {
  return handling ? { event: event as HandlingEventType, at, ...handling } : null;
}
