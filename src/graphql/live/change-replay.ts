import { type ChangeStream, type ChangeStreamDocument, type Document, MongoServerError } from 'mongodb';
import { apiErrorOf } from '../error-format.js';
import { reaches, tokenText } from './resume-token.js';

/** How long the server may wait for a change before it answers that there is none, ms. */
export const REPLAY_WAIT = 200;
/** Such answers in a row, at the same place, after which the stream is at its end. */
const QUIET = 2;

export interface ReplayOptions {
  /** At most this many ms. */
  readonly within: number;
  /** A token at which there is nothing more of interest. */
  readonly until?: string | null;
}

/**
 * Reads a stream that was opened behind some place until `take` has had enough or there is nothing more. Its pipeline lets
 * every change through: where some are left out, a server may answer that there is none for now, and mean those.
 * @returns false when the store cannot tell any more, or it took too long
 * @throws MongoError when the store is away
 */
export async function replayed<T extends Document>(
  stream: ChangeStream<T>,
  take: (change: ChangeStreamDocument<T>) => 'more' | 'enough',
  { within, until = null }: ReplayOptions,
): Promise<boolean> {
  const deadline = performance.now() + within;
  let place: string | null = null;
  try {
    for (let nothing = 0; nothing < QUIET; ) {
      if (performance.now() > deadline) return false;
      const change = await stream.tryNext();
      if (change && take(change) === 'enough') return true;
      const here = tokenText(stream.resumeToken);
      if (!change && reaches(here, until)) return true;
      // A server that looks through the changes of others moves on without giving any.
      nothing = change || here !== place ? 0 : nothing + 1;
      place = here;
    }
    return true;
  } catch (fault) {
    // What a server says of a place that it does not know, or no longer, differs; one that is away is another matter.
    if (fault instanceof MongoServerError && !apiErrorOf(fault).retriable) return false;
    throw fault;
  } finally {
    await stream.close().catch(() => {});
  }
}
