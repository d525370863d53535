import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ScopedFilter, carMatches, carQuery, filterKey } from '../../src/fleet/car-filter.js';
import { FRESHNESSES, freshnessEdges } from '../../src/fleet/freshness.js';
import { STATUSES, type Twin } from '../../src/twin/documents.js';
import { EPISODE_KINDS } from '../../src/twin/episode-kind.js';
import { type Api, startApi } from '../builders/api.js';
import { SOME_INSTANT, someSignals } from '../builders/reading.js';
import { someScore, someTwin } from '../builders/twin.js';

const NOW = SOME_INSTANT + 700_000;
const edges = freshnessEdges(NOW, { staleAfter: 60_000, offlineAfter: 600_000 });
const FLEETS = ['north', 'south', '$where', '__proto__'];
const TAGS = ['pool', 'leased'];

const some = <T>(values: readonly T[]) => fc.option(fc.subarray([...values]), { nil: null });
const bound = fc.option(fc.integer({ min: 0, max: 4 }), { nil: null });
const range = fc.option(fc.record({ min: bound, max: bound }), { nil: null });
const filters: fc.Arbitrary<ScopedFilter> = fc.record(
  {
    within: some(FLEETS),
    ids: some(['car-0', 'car-1', 'car-2']),
    status: some(STATUSES),
    freshness: some(FRESHNESSES),
    firmware: some([1_000, 2_000]),
    fleet: some(FLEETS),
    model: some(['hatch', 'van']),
    tags: some(TAGS),
    score: range,
    signals: fc.array(
      fc.record({ signal: fc.constantFrom('speed' as const, 'batteryVoltage' as const), min: bound, max: bound }),
      { maxLength: 2 },
    ),
    openKind: some(EPISODE_KINDS),
  },
  { requiredKeys: ['within'] },
);

const open = {
  id: 'x',
  severity: 'MINOR',
  severityAt: new Date(NOW),
  calm: 0,
  readings: 1,
  peakRatio: 1,
  entries: 1,
} as const;
const cars = fc
  .array(
    fc.record({
      status: fc.constantFrom(...STATUSES),
      lastSeenAt: fc.constantFrom(0, 60_000, 60_001, 600_000, 900_000).map((ago) => new Date(NOW - ago)),
      score: fc.option(fc.integer({ min: 0, max: 4 }).map(someScore), { nil: null }),
      speed: fc.option(fc.integer({ min: 0, max: 4 }), { nil: null }),
      firmware: fc.constantFrom(1_000, 2_000, null),
      fleet: fc.option(fc.constantFrom(...FLEETS), { nil: undefined }),
      tags: fc.option(fc.subarray(TAGS), { nil: undefined }),
      kinds: fc.subarray([...EPISODE_KINDS]),
    }),
    { minLength: 4, maxLength: 12 },
  )
  .map((made) =>
    made.map(({ speed, firmware, fleet, tags, kinds, ...rest }, n): Twin => {
      const named = { ...(fleet === undefined ? {} : { fleet }), ...(tags ? { tags } : {}) };
      const signals = someSignals({ speed, controlUnitFirmware: firmware });
      return someTwin({
        ...rest,
        _id: `car-${n}`,
        reported: { ...someTwin().reported, signals },
        openEpisodes: Object.fromEntries(kinds.map((kind) => [kind, open])),
        ...(Object.keys(named).length > 0 ? { attributes: named } : {}),
      });
    }),
  );

let api: Api;
beforeAll(async () => {
  api = await startApi({ database: `car_filter_${process.pid}` });
});
afterAll(() => api.stop());

describe('a filter of cars', () => {
  it('means the same to the database and in memory', async () => {
    const { twins } = api.database.collections;
    await fc.assert(
      fc.asyncProperty(cars, fc.array(filters, { minLength: 20, maxLength: 20 }), async (fleet, wanted) => {
        await twins.deleteMany({});
        await twins.insertMany(fleet);
        for (const filter of wanted) {
          const rows = await twins.find(carQuery(filter, edges), { projection: { _id: 1 } }).toArray();
          const matching = fleet.filter((twin) => carMatches(twin, filter, edges)).map(({ _id }) => _id);
          expect(rows.map(({ _id }) => _id).sort(), JSON.stringify(filter)).toEqual(matching.sort());
        }
      }),
      { numRuns: 25 },
    );
  });

  it('has one name in caches, whatever the order of its conditions, and another for another scope', () => {
    const one = filterKey({ within: null, status: ['NORMAL'], fleet: ['north'] });
    expect(filterKey({ fleet: ['north'], status: ['NORMAL'], within: null, ids: null })).toBe(one);
    expect(filterKey({ within: ['north'], status: ['NORMAL'], fleet: ['north'] })).not.toBe(one);
  });
});
