import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Api, startApi } from '../builders/api.js';
import { SOME_INSTANT } from '../builders/reading.js';
import { someTwin } from '../builders/twin.js';

let api: Api;
beforeAll(async () => {
  api = await startApi({ database: `gql_groups_${process.pid}`, clock: () => SOME_INSTANT + 60_000 });
  // Two cars of one model, and one of each of 1,004 others.
  const twins = Array.from({ length: 1_006 }, (_, n) =>
    someTwin({ _id: `car-${n}`, attributes: { model: `model-${Math.max(1, n)}` }, lastSeenAt: new Date(SOME_INSTANT) }),
  );
  await api.database.collections.twins.insertMany(twins);
});
afterAll(() => api.stop());

it.each(['byModel', 'groupBy(by: [MODEL])', `failureRates(by: MODEL, from: "2026-01-01", to: "2026-01-02")`])(
  '%s of more than a thousand groups gives the largest, says that there are more, and counts those that it gives',
  async (field) => {
    const fields = `groups { cars } more coverage { cars measured stale }`;
    const { data, errors } = await api.query<{ fleet: { told: { groups: object[] } } }>(
      `{ fleet { told: ${field} { ${fields} } } }`,
    );
    expect(errors).toBeUndefined();
    const { groups, ...rest } = data.fleet.told;
    expect(groups).toHaveLength(1_000);
    expect(groups[0]).toEqual({ cars: 2 });
    expect(rest).toEqual({ more: true, coverage: { cars: 1_001, measured: 1_001, stale: 1_001 } });
  },
);
