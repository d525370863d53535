import type { ChangeStreamDocument, Timestamp } from 'mongodb';
import type { Database } from '../../twin/database.js';
import type { Twin } from '../../twin/documents.js';
import { decodeCursor, encodeCursor } from '../cursor.js';
import { ChangeLoop } from './change-loop.js';
import { FeedUse } from './feed-use.js';
import { RecentCars } from './recent-cars.js';
import type { ResyncReason } from './resync.js';
import { readStoreId } from './store-place.js';

/** A place in the changes of all cars: the store's own clock, as text that sorts by time. */
export interface CarPlace {
  readonly storeId: string;
  readonly at: string;
}

export interface CarReader {
  changed(twin: Twin, at: string): void;
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
  private readonly readers = new Set<CarReader>();
  private storeId = '';
  private recent = new RecentCars('', REMEMBERED);
  private loop: ChangeLoop<Twin> | null = null;

  constructor(
    private readonly database: Database,
    private readonly report: (fault: unknown) => void,
    linger?: number,
  ) {
    this.use = new FeedUse(() => this.start(), linger);
  }

  get at(): CarPlace {
    return { storeId: this.storeId, at: this.recent.now };
  }

  /** The cars that changed since a place, with their times; null when that can no longer be told. */
  since({ storeId, at }: CarPlace): [string, string][] | null {
    return storeId === this.storeId ? this.recent.since(at) : null;
  }

  attach(reader: CarReader): void {
    this.readers.add(reader);
  }

  detach(reader: CarReader): void {
    this.readers.delete(reader);
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
      opened: (resumed) => this.opened(resumed),
      change: (change) => this.changed(change),
      quiet: async () => {},
      broken: (fault) => this.report(fault),
    });
    this.loop.start();
    return this.loop;
  }

  /** A token means something only in the store that gave it: in another one the stream would stay silent for ever. */
  private async opened(resumed: boolean): Promise<void> {
    const storeId = await readStoreId(this.database);
    const before = this.storeId;
    if (resumed && storeId === before) return;
    if (resumed) {
      this.loop?.forgetToken();
      throw new Error('The store behind the change stream is another one');
    }
    this.storeId = storeId;
    this.recent = new RecentCars(await this.storeTime(), REMEMBERED);
    this.use.stands();
    if (before !== '') this.tell(storeId === before ? 'STREAM_LOST' : 'STORE_CHANGED');
  }

  private async changed(change: ChangeStreamDocument<Twin>): Promise<void> {
    if (change.operationType === 'delete') {
      for (const reader of this.readers) reader.removed(change.documentKey._id);
      return;
    }
    if (!('fullDocument' in change) || !change.fullDocument) return;
    const twin = change.fullDocument;
    const at = change.clusterTime ? sortable(change.clusterTime) : this.recent.now;
    this.recent.note(twin._id, at);
    for (const reader of this.readers) reader.changed(twin, at);
  }

  private tell(reason: ResyncReason): void {
    for (const reader of this.readers) reader.missed(reason);
  }

  /** The time of the store's newest write: changes behind it come through the stream that stands already. */
  private async storeTime(): Promise<string> {
    const { operationTime } = await this.database.db.command({ ping: 1 });
    return operationTime ? sortable(operationTime as Timestamp) : '';
  }
}

const hex = (half: number) => (half >>> 0).toString(16).padStart(8, '0');

function sortable(time: Timestamp): string {
  return hex(time.getHighBits()) + hex(time.getLowBits());
}

const NAME = 'car-updates';

const isPlace = (parts: unknown[]): parts is [string, string] =>
  parts.length === 2 && typeof parts[0] === 'string' && /^([0-9a-f]{16})?$/.test(String(parts[1]));

export function carCursor({ storeId, at }: CarPlace): string {
  return encodeCursor([NAME, storeId, at]);
}

/** @throws ApiError BAD_CURSOR */
export function carPlace(cursor: string): CarPlace {
  const [storeId, at] = decodeCursor(cursor, NAME, isPlace);
  return { storeId, at };
}
