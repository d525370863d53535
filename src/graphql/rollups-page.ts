import type { Rollup, Rollups } from '../rollup/rollups.js';
import { STEPS, windowsBetween, type Step } from '../telemetry/window.js';
import { TooManyReadings } from '../rollup/windows-read.js';
import { ApiError } from './api-error.js';
import { type Cut, piecesOf } from './batch-loader.js';
import { type Connection, pageOf, pageSize } from './connection.js';
import { decodeCursor, encodeCursor, isTime } from './cursor.js';
import { checkRange } from './keyset.js';
import type { RollupArgs } from './rollup.args.js';
import { type RollupModel, rollupModel } from './rollup.model.js';

/** Windows between `from` and `to`. */
const WINDOWS = 5_000;
/** Windows that are read at a time. */
const CHUNK = 500;
/** Pages that are looked for one after the other; more are so many at the same time. */
const PAGES = 20;

/** A page of windows, its arguments found to be good. */
export interface RollupsQuery {
  /** The fleet when not given. */
  readonly car: string | undefined;
  readonly step: Step;
  /** Windows to look through, rising; ms. */
  readonly starts: readonly number[];
  readonly count: number;
  readonly started: boolean;
}

/** Gives the page, or throws why there is none. */
export type RollupsAnswer = () => Connection<RollupModel>;

const TOO_MANY = 'Too many readings whose rollups are not computed yet: ask for less time at once';

/**
 * @param car the fleet when not given
 * @param over only windows that were over at this instant; all when null
 * @throws ApiError BAD_RANGE, BAD_ARGUMENT, BAD_CURSOR, PAGE_TOO_LARGE
 */
export function rollupsQuery(
  { step, first, after, ...range }: RollupArgs,
  car?: string,
  over: Date | null = null,
): RollupsQuery {
  const count = pageSize(first);
  checkRange(range);
  const [from, to] = [range.from.getTime(), range.to.getTime()];
  if (to - from > WINDOWS * STEPS[step])
    throw new ApiError('BAD_ARGUMENT', `from and to have at most ${WINDOWS} windows between them`);
  const begin = after == null ? from : Math.max(from, startOf(after, nameOf(step)) + STEPS[step]);
  return {
    car,
    step,
    starts: windowsBetween(begin, over ? Math.min(to, over.getTime() - STEPS[step] + 1) : to, step),
    count,
    started: after != null,
  };
}

/** No request is refused for what others ask at the same moment, nor waits for much of it. */
export const rollupPagesAtOnce: Cut<RollupsQuery> = (queries) =>
  piecesOf(queries, { keys: PAGES, weight: PAGES }, () => 1);

/** @param queries as many as `rollupPagesAtOnce` gives */
export async function rollupPages(rollups: Rollups, queries: readonly RollupsQuery[]): Promise<RollupsAnswer[]> {
  const answers: RollupsAnswer[] = [];
  for (const query of queries) answers.push(await answerOf(rollupPage(rollups, query)));
  return answers;
}

/** What fails is the fault of its own query only. */
function answerOf(page: Promise<Connection<RollupModel>>): Promise<RollupsAnswer> {
  return page.then(
    (value) => () => value,
    (error: unknown) => () => {
      if (error instanceof TooManyReadings) throw new ApiError('PAGE_TOO_LARGE', TOO_MANY, { cause: error });
      throw error;
    },
  );
}

async function rollupPage(rollups: Rollups, query: RollupsQuery): Promise<Connection<RollupModel>> {
  const { step, count, started } = query;
  const entry = (rollup: Rollup) => ({
    cursor: encodeCursor([nameOf(step), rollup.start]),
    node: rollupModel(rollup, step),
  });
  return pageOf(await firstOf(rollups, query, count + 1), count, entry, { started });
}

async function firstOf(rollups: Rollups, { car, step, starts }: RollupsQuery, wanted: number): Promise<Rollup[]> {
  const found: Rollup[] = [];
  for (let first = 0; first < starts.length && found.length < wanted; first += CHUNK)
    found.push(...(await rollups.read(step, starts.slice(first, first + CHUNK), car)));
  return found.slice(0, wanted);
}

const nameOf = (step: Step) => `rollups/${step}`;

function startOf(cursor: string, name: string): number {
  const isStart = (parts: unknown[]): parts is [number] => parts.length === 1 && isTime(parts[0]);
  const [start] = decodeCursor(cursor, name, isStart);
  return start;
}
