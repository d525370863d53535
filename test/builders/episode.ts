import type { EpisodeDocument, EpisodeEventDocument } from '../../src/twin/documents.js';
import { episodeId, eventId, positionId } from '../../src/twin/ids.js';
import { SOME_INSTANT } from './reading.js';

/** An open episode whose id follows from its car, kind and opening. */
export function someEpisode(overrides: Partial<EpisodeDocument> = {}): EpisodeDocument {
  const openedAt = overrides.openedAt ?? new Date(SOME_INSTANT);
  const car = overrides.car ?? 'car-1';
  const kind = overrides.kind ?? 'TIRE';
  return {
    _id: episodeId(car, kind, openedAt),
    car,
    kind,
    status: 'OPEN',
    severity: 'MINOR',
    openedAt,
    updatedAt: openedAt,
    clearedAt: null,
    peak: { value: 0.02, ratio: 2, at: openedAt },
    readings: 3,
    topSignals: [{ signal: 'tirePressure11', share: 0.7 }],
    model: 'default@1',
    timeline: [],
    timelineDropped: 0,
    ...overrides,
  };
}

/** Event `sequence` of partition `partition` of topic `sensor-data`. */
export function someEvent(
  partition: number,
  sequence: number,
  overrides: Partial<EpisodeEventDocument> = {},
): EpisodeEventDocument {
  const position = positionId('sensor-data', partition);
  const openedAt = new Date(SOME_INSTANT + sequence * 1_000);
  const car = overrides.car ?? `car-${partition}`;
  return {
    _id: eventId(position, sequence),
    partition: position,
    sequence,
    offset: sequence * 10,
    event: 'OPENED',
    episode: episodeId(car, overrides.kind ?? 'TIRE', openedAt),
    car,
    kind: 'TIRE',
    severity: 'MINOR',
    value: 0.02,
    ratio: 2,
    at: openedAt,
    openedAt,
    topSignals: [{ signal: 'tirePressure11', share: 0.7 }],
    model: 'default@1',
    recordedAt: openedAt,
    ...overrides,
  };
}
