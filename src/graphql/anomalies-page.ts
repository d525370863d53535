import type { Collection, Filter } from 'mongodb';
import { withinScope, type Scope } from '../access/scope.js';
import { READ_LIMIT } from '../fleet/fleet.js';
import { isCarId } from '../telemetry/car-id.js';
import { type EpisodeDocument, SEVERITIES } from '../twin/documents.js';
import type { AnomaliesArgs, AnomalyFilterInput } from './anomaly.args.js';
import { type Anomaly, anomalyModel } from './anomaly.model.js';
import { ApiError } from './api-error.js';
import { type Connection, pageOf, pageSize } from './connection.js';
import { checkRange, pageBounds, timedCursor, timedPlace } from './keyset.js';

export interface AnomaliesPage extends Connection<Anomaly> {
  readonly filter: AnomalyFilterInput;
  readonly within: Scope;
}

/**
 * A page of episodes, newest opening first.
 * @throws ApiError BAD_CURSOR, BAD_RANGE, BAD_ARGUMENT, PAGE_TOO_LARGE
 */
export async function anomaliesPage(
  episodes: Collection<EpisodeDocument>,
  args: AnomaliesArgs,
  within: Scope,
): Promise<AnomaliesPage> {
  const count = pageSize(args.first);
  const filter = args.filter ?? {};
  const query = episodeQuery(filter, within);
  const place = args.after ? timedPlace('anomalies', args.after) : null;
  const rows: EpisodeDocument[] = [];
  for (const bounds of pageBounds('openedAt', filter, place, true)) {
    const missing = count + 1 - rows.length;
    if (missing > 0) rows.push(...(await readRows(episodes, { ...query, ...bounds }, missing)));
  }
  const entry = (row: EpisodeDocument) => ({
    cursor: timedCursor('anomalies', { at: row.openedAt.getTime(), id: row._id }),
    node: anomalyModel(row),
  });
  return { ...pageOf(rows, count, entry, { started: place !== null }), filter, within };
}

function readRows(episodes: Collection<EpisodeDocument>, query: Filter<EpisodeDocument>, limit: number) {
  return episodes.find(query, { maxTimeMS: READ_LIMIT }).sort({ openedAt: -1, _id: -1 }).limit(limit).toArray();
}

export function countAnomalies(
  episodes: Collection<EpisodeDocument>,
  filter: AnomalyFilterInput,
  within: Scope,
): Promise<number> {
  const [bounds = {}] = pageBounds('openedAt', filter, null, true);
  return episodes.countDocuments({ ...episodeQuery(filter, within), ...bounds }, { maxTimeMS: READ_LIMIT });
}

/** With a status every severity is named, so that the index on status and severity can give the order by time. */
function episodeQuery(filter: AnomalyFilterInput, within: Scope): Filter<EpisodeDocument> {
  checkRange(filter);
  if (filter.car != null && !isCarId(filter.car)) throw new ApiError('BAD_ARGUMENT', 'That is not a car id');
  const severity = filter.severity ?? (filter.status ? [...SEVERITIES] : null);
  return {
    ...withinScope('fleet', within),
    ...(filter.car != null && { car: filter.car }),
    ...(filter.status && { status: filter.status }),
    ...(severity && { severity: { $in: severity } }),
    ...(filter.kind && { kind: { $in: filter.kind } }),
  };
}
