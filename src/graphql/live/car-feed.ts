import type { ChangeStreamDocument, ResumeToken, Timestamp } from 'mongodb';
import type { Database } from '../../twin/database.js';
import type { Twin } from '../../twin/documents.js';
import { AheadOfStream } from './ahead-of-stream.js';
import { type CarPlace, sortableTime } from './car-place.js';
import { changedSince } from './car-replay.js';
import { ChangeLoop } from './change-loop.js';
import { FanOut, type Interest } from './fan-out.js';
import { FeedUse } from './feed-use.js';
import { type CarChange, RecentCars } from './recent-cars.js';
import type { ResyncReason } from './resync.js';
import { tokenText } from './resume-token.js';
import { readStoreId } from './store-place.js';

export interface CarReader {
  /** A car that it is interested in has a new state. */
  changed(twin: Twin, place: CarPlace): void;
  /** A car is gone, or is none any more that it is interested in. */
  removed(id: string): void;
  /** Changes may have been missed: what is known of the cars may be old. */
  missed(reason: ResyncReason): void;
}

/** Cars of which the last change is remembered. */
const REMEMBERED = 200_000;

/**
 * The changes of all twins, once per process. States, not events: what counts is the newest. The stream is continued by
 * its token; where it cannot be, the readers are told.
 */
export class CarFeed {
  readonly use: FeedUse;
  private readonly readers = new FanOut<Twin, CarReader>();
  private readonly ahead = new AheadOfStream();
  private storeId = '';
  private recent = new RecentCars({ at: '', token: null }, REMEMBERED);
  private token: string | null = null;
  private loop: ChangeLoop<Twin> | null = null;
  private replaying: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly database: Database,
    private readonly report: (fault: unknown) => void,
    linger?: number,
  ) {
    this.use = new FeedUse(() => this.start(), linger);
  }

  get at(): CarPlace {
    return { storeId: this.storeId, at: this.recent.now, token: this.token };
  }

  /** The cars that changed since a place, with their times; null when this process does not know. */
  since(place: CarPlace): CarChange[] | null {
    return place.storeId === this.storeId ? this.recent.since(place) : null;
  }

  /**
   * Has the change stream tell what this process does not remember, so that `since` knows a place as far as the store does.
   * Those who come back at once after a restart wait for one another: what was read for one serves the next.
   */
  async recall(place: CarPlace): Promise<void> {
    const turn = this.replaying.then(() => this.recalled(place));
    this.replaying = turn.catch(() => undefined);
    await turn;
  }

  attach(reader: CarReader, interest: Interest<Twin>): void {
    this.readers.add(reader, interest);
  }

  detach(reader: CarReader): void {
    this.readers.remove(reader);
  }

  private async recalled(place: CarPlace): Promise<void> {
    const { recent } = this;
    const { horizon } = recent;
    if (place.token === null || place.storeId !== this.storeId || recent.knows(place)) return;
    const replay = await changedSince(this.database, place.token, this.at, REMEMBERED);
    // What was forgotten meanwhile is in neither of them.
    if (replay && recent === this.recent && recent.horizon === horizon) recent.extend(replay);
  }

  private start(): ChangeLoop<Twin> {
    this.storeId = '';
    const pipeline = [{ $match: { operationType: { $in: ['insert', 'replace', 'update', 'delete', 'invalidate'] } } }];
    const open = (resumeAfter: unknown) =>
      this.database.collections.twins.watch<Twin>(pipeline, {
        fullDocument: 'updateLookup',
        ...(resumeAfter !== null && { resumeAfter }),
      });
    this.loop = new ChangeLoop<Twin>(open, {
      opened: (resumed, at) => this.opened(resumed, at),
      change: (change) => this.changed(change),
      quiet: async () => {},
      broken: (fault) => this.report(fault),
    });
    this.loop.start();
    return this.loop;
  }

  /** A token means something only in the store that gave it: in another one the stream would stay silent for ever. */
  private async opened(resumed: boolean, at: ResumeToken): Promise<void> {
    const storeId = await readStoreId(this.database);
    const before = this.storeId;
    if (resumed && storeId === before) return;
    if (resumed) {
      this.loop?.forgetToken();
      throw new Error('The store behind the change stream is another one');
    }
    this.storeId = storeId;
    this.token = tokenText(at);
    this.ahead.clear();
    this.recent = new RecentCars({ at: await this.storeTime(), token: this.token }, REMEMBERED);
    this.use.stands();
    if (before !== '') this.tell(storeId === before ? 'STREAM_LOST' : 'STORE_CHANGED');
  }

  private async changed(change: ChangeStreamDocument<Twin>): Promise<void> {
    this.token = tokenText(change._id);
    if (change.operationType === 'delete') {
      for (const reader of this.readers.all) reader.removed(change.documentKey._id);
      return;
    }
    if (!('fullDocument' in change) || !change.fullDocument) return;
    const twin = change.fullDocument;
    const at = change.clusterTime ? sortableTime(change.clusterTime) : this.recent.now;
    this.recent.note(twin._id, at);
    if (this.ahead.outruns(twin)) return;
    if (isAhead(change, twin)) this.ahead.read(twin);
    const place = { storeId: this.storeId, at, token: this.token };
    const { _id: id } = twin;
    this.readers.tell(
      id,
      twin,
      (reader) => reader.changed(twin, place),
      (reader) => reader.removed(id),
    );
  }

  private tell(reason: ResyncReason): void {
    for (const reader of this.readers.all) reader.missed(reason);
  }

  /** The time of the store's newest write: changes behind it come through the stream that stands already. */
  private async storeTime(): Promise<string> {
    const { operationTime } = await this.database.db.command({ ping: 1 });
    return operationTime ? sortableTime(operationTime as Timestamp) : '';
  }
}

/** Of an update the server looks the state up, and may find one that comes later in the stream. */
function isAhead(change: ChangeStreamDocument<Twin>, { revision }: Twin): boolean {
  return change.operationType === 'update' && change.updateDescription.updatedFields?.revision !== revision;
}
