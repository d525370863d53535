import { Inject } from '@nestjs/common';
import { ID, Mutation, Resolver } from '@nestjs/graphql';
import { seesFleet } from '../access/scope.js';
import type { Viewer } from '../access/viewer.js';
import type { Database } from '../twin/database.js';
import { DATABASE } from '../twin/twin.module.js';
import { handleEpisode, HANDLING_CAP } from '../twin/handle-episode.js';
import type { HandlingEntry, Label } from '../twin/handling-documents.js';
import { Anomaly, anomalyModel } from './anomaly.model.js';
import { ApiError } from './api-error.js';
import { AnomalyLabel } from './enums.js';
import { CurrentViewer } from './current-viewer.js';
import { requireRole } from './require-role.js';
import { DateTime } from './scalars.js';
import { TypedArgs } from './typed-args.js';

export const API_CLOCK = Symbol('ApiClock');

/** Characters */
const LONGEST_NAME = 100;
const LONGEST_COMMENT = 2_000;
const LONGEST_SNOOZE = 366 * 86_400_000;

const id = { name: 'id', type: () => ID, description: 'Id of the anomaly.' };
const by = { name: 'by', type: () => ID, description: 'Who does it: 1 to 100 characters.' };

/** What people do with anomalies. Each is noted with its time and told to every subscriber; nothing else of an anomaly changes. */
@Resolver(() => Anomaly)
export class HandlingResolver {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(API_CLOCK) private readonly clock: () => number,
  ) {}

  @Mutation(() => Anomaly, { description: 'Somebody has seen the anomaly.' })
  acknowledgeAnomaly(
    @TypedArgs(id) anomaly: string,
    @TypedArgs(by) who: string,
    @CurrentViewer() viewer: Viewer,
  ): Promise<Anomaly> {
    return this.handle(viewer, anomaly, who, { event: 'ACKNOWLEDGED' });
  }

  @Mutation(() => Anomaly, { description: "Gives the anomaly into somebody's hands." })
  assignAnomaly(
    @TypedArgs(id) anomaly: string,
    @TypedArgs(by) who: string,
    @TypedArgs({ name: 'to', type: () => ID, nullable: true, description: 'To whom; null takes it from everybody.' })
    to: string | null,
    @CurrentViewer() viewer: Viewer,
  ): Promise<Anomaly> {
    const assignee = to === null || to === undefined ? null : said(to, 'to', LONGEST_NAME);
    return this.handle(viewer, anomaly, who, { event: 'ASSIGNED', assignee });
  }

  @Mutation(() => Anomaly, { description: 'Says something about the anomaly.' })
  commentAnomaly(
    @TypedArgs(id) anomaly: string,
    @TypedArgs(by) who: string,
    @TypedArgs({ name: 'comment', type: () => String, description: '1 to 2,000 characters.' }) comment: string,
    @CurrentViewer() viewer: Viewer,
  ): Promise<Anomaly> {
    return this.handle(viewer, anomaly, who, {
      event: 'COMMENTED',
      comment: said(comment, 'comment', LONGEST_COMMENT),
    });
  }

  @Mutation(() => Anomaly, {
    description: 'Events of an open anomaly carry `snoozedUntil` until then, so that they need not reach people.',
  })
  snoozeAnomaly(
    @TypedArgs(id) anomaly: string,
    @TypedArgs(by) who: string,
    @TypedArgs({ name: 'until', type: () => DateTime, nullable: true, description: 'In the future; null wakes it.' })
    until: Date | null,
    @CurrentViewer() viewer: Viewer,
  ): Promise<Anomaly> {
    const ahead = (until?.getTime() ?? Number.NaN) - this.clock();
    if (ahead <= 0) throw new ApiError('BAD_ARGUMENT', 'until does not lie in the future');
    if (ahead > LONGEST_SNOOZE) throw new ApiError('BAD_ARGUMENT', 'until lies more than a year ahead');
    return this.handle(viewer, anomaly, who, { event: 'SNOOZED', snoozedUntil: until ?? null });
  }

  @Mutation(() => Anomaly, { description: 'Says what the anomaly turned out to be; the newest label counts.' })
  labelAnomaly(
    @TypedArgs(id) anomaly: string,
    @TypedArgs(by) who: string,
    @TypedArgs({ name: 'label', type: () => AnomalyLabel, description: 'What it turned out to be.' }) label: Label,
    @CurrentViewer() viewer: Viewer,
  ): Promise<Anomaly> {
    return this.handle(viewer, anomaly, who, { event: 'LABELLED', label });
  }

  private async handle(
    viewer: Viewer,
    anomaly: string,
    who: string,
    what: Omit<HandlingEntry, 'at' | 'by'>,
  ): Promise<Anomaly> {
    requireRole(viewer, 'operator');
    const entry = { ...what, at: new Date(this.clock()), by: said(who, 'by', LONGEST_NAME) };
    const handled = await handleEpisode(this.database, anomaly, entry, (fleet) => seesFleet(viewer, fleet));
    switch (handled.kind) {
      case 'handled':
        return anomalyModel(handled.episode);
      case 'unknown':
        throw unknown();
      case 'cleared':
        throw new ApiError('BAD_ARGUMENT', 'The anomaly is cleared: there is nothing to snooze');
      case 'full':
        throw new ApiError('BAD_ARGUMENT', `The anomaly was handled ${HANDLING_CAP} times, which is the most there is`);
    }
  }
}

function unknown(): ApiError {
  return new ApiError('NOT_FOUND', 'There is no such anomaly');
}

/** @throws ApiError BAD_ARGUMENT */
function said(text: string, argument: string, longest: number): string {
  const trimmed = text.trim();
  if (trimmed === '') throw new ApiError('BAD_ARGUMENT', `${argument} is empty`);
  if (trimmed.length > longest)
    throw new ApiError('BAD_ARGUMENT', `${argument} has more than ${longest.toLocaleString('en')} characters`);
  return trimmed;
}
