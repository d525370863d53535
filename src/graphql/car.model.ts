import { Field, Float, ID, Int, ObjectType } from '@nestjs/graphql';
import { type Freshness, type FreshnessEdges, freshnessOf } from '../fleet/freshness.js';
import type { EpisodeDocument, Status, Twin } from '../twin/documents.js';
import { connectionOf } from './connection.js';
import { CarFreshness, CarStatus } from './enums.js';
import { Node } from './node.model.js';
import { DateTime, Long } from './scalars.js';
import { Score, Signals, type SignalsModel, Source } from './score.model.js';

@ObjectType({ description: 'How many messages of a car ended where.' })
export class Counters {
  @Field(() => Long, { description: 'Readings in the history (a number, as all counters).' })
  readonly readings!: number;

  @Field(() => Long, { description: 'Readings that arrived after a newer one: stored, not applied to the state.' })
  readonly late!: number;

  @Field(() => Long, {
    nullable: true,
    description: 'Messages that came more than once: not stored again. Null in the past.',
  })
  readonly duplicate!: number | null;

  @Field(() => Long, {
    nullable: true,
    description: 'Readings older than the retention: not stored. Null in the past.',
  })
  readonly expired!: number | null;

  @Field(() => Long, {
    nullable: true,
    description: 'Messages that could not be decoded: in the dead letters. Null in the past.',
  })
  readonly rejected!: number | null;
}

@ObjectType({ implements: () => [Node], description: 'The digital twin of a car: its state by event time.' })
export class Car implements Node {
  @Field(() => ID, { description: 'Car id, as in the MQTT topic.' })
  readonly id!: string;

  @Field(() => CarStatus, { description: 'How the car fares.' })
  readonly status!: Status;

  @Field(() => CarFreshness, { description: 'How long ago it was last seen, by the clock of the service.' })
  readonly freshness!: Freshness;

  @Field(() => Signals, { description: 'The newest reading by event time, in the units the car sent.' })
  readonly signals!: SignalsModel;

  @Field(() => Score, { nullable: true, description: 'The score of the newest reading; null before the first one.' })
  readonly score!: Score | null;

  @Field(() => Counters, { description: 'How many of its messages ended where.' })
  readonly counters!: Counters;

  @Field(() => DateTime, { description: 'Event time of the oldest reading.' })
  readonly firstSeenAt!: Date;

  @Field(() => DateTime, { description: 'Event time of the newest reading that was seen.' })
  readonly lastSeenAt!: Date;

  @Field(() => DateTime, { description: 'Event time of the reading in signals.' })
  readonly reportedAt!: Date;

  @Field(() => DateTime, { description: 'Kafka record time of the reading in signals.' })
  readonly receivedAt!: Date;

  @Field(() => Int, { nullable: true, description: 'Rises by one with every write of this twin. Null in the past.' })
  readonly revision!: number | null;

  @Field(() => Source, { description: 'The newest record that was applied; for information.' })
  readonly source!: Source;

  @Field(() => DateTime, { nullable: true, description: 'The instant that it is shown as of; null for now.' })
  readonly asOf!: Date | null;

  /** Of the past: the anomalies that were open then, as they were. */
  readonly openThen?: readonly EpisodeDocument[];

  /** Of the past: counts, which costs more than all the rest. */
  readonly countThen?: () => Promise<Counters>;

  /** Ids of the open episodes; resolved into anomalies on demand. */
  readonly openEpisodeIds!: readonly string[];
}

@ObjectType({ description: 'A page of cars.' })
export class CarConnection extends connectionOf(Car, 'Car', 'the cars') {}

@ObjectType({
  description: 'Percentiles of score / threshold, right to 0.5 %, over the cars that have a score; null without any.',
})
export class ScorePercentiles {
  @Field(() => Float, { nullable: true, description: 'Median of score / threshold (no unit).' })
  readonly p50!: number | null;

  @Field(() => Float, { nullable: true, description: '90th percentile of score / threshold (no unit).' })
  readonly p90!: number | null;

  @Field(() => Float, { nullable: true, description: '95th percentile of score / threshold (no unit).' })
  readonly p95!: number | null;

  @Field(() => Float, { nullable: true, description: '99th percentile of score / threshold (no unit).' })
  readonly p99!: number | null;
}

export function carModel(twin: Omit<Twin, 'memory' | 'recent'>, edges: FreshnessEdges): Car {
  const { reported } = twin;
  return {
    id: twin._id,
    asOf: null,
    status: twin.status,
    freshness: freshnessOf(twin.lastSeenAt, edges),
    signals: reported.signals,
    score: twin.score,
    counters: twin.counters,
    firstSeenAt: twin.firstSeenAt,
    lastSeenAt: twin.lastSeenAt,
    reportedAt: reported.at,
    receivedAt: reported.receivedAt,
    revision: twin.revision,
    source: twin.source,
    openEpisodeIds: Object.values(twin.openEpisodes).map(({ id }) => id),
  };
}
