import { BUCKETS } from '../src/history/buckets.js';
import { FLEET_COUNTS } from '../src/fleet/summary.js';
import type { Database } from '../src/twin/database.js';

/** One kind of question, as the API takes it and as the bare driver reads what the answer is made of. */
export interface Read {
  readonly name: string;
  readonly body: () => string;
  readonly bare: () => Promise<unknown>;
  /** Most that are done side by side by the driver: more would fill the server's memory. */
  readonly most?: number;
}

const CAR = 'id status freshness reportedAt score { value ratio } signals { speed engineVibrationAmplitude }';
const QUERIES = {
  car: `query Car($id: ID!) { car(id: $id) { ${CAR} } }`,
  cars: `query Cars($after: String) { cars(first: 50, after: $after) { nodes { ${CAR} } pageInfo { endCursor } } }`,
  fleet:
    'query Fleet { fleet { byStatus { status cars } byFreshness { freshness cars } score { p50 p99 } coverage { cars } } }',
  aggregate: `query Aggregate($id: ID!, $from: DateTime!, $to: DateTime!) { car(id: $id) { aggregate(signals: [speed], from: $from, to: $to, step: "PT1M", figures: [MIN, MAX, MEAN, LAST]) { buckets { from signals { min max mean last } } } } }`,
  history: `query History($id: ID!) { car(id: $id) { history(last: 100) { nodes { at score { ratio } signals { speed } } } } }`,
};

/** @param long how many of the first cars have a long history */
export async function readsOf(
  { collections }: Database,
  { cars, long }: { readonly cars: number; readonly long: number },
): Promise<Read[]> {
  const { twins, readings } = collections;
  const random = (below: number) => `car${1 + Math.floor(Math.random() * below)}`;
  const asked = (query: string, variables?: () => object) => () =>
    JSON.stringify({ query, variables: variables?.() ?? {} });
  const range = { from: new Date(Date.now() - 7_200_000).toISOString(), to: new Date().toISOString() };
  const figures = new Set(['MIN', 'MAX', 'MEAN', 'LAST'] as const);
  const [from, to] = [new Date(range.from), new Date(range.to)];
  const buckets = { signals: ['speed' as const], from, to, step: 60_000, figures, percentiles: [] };
  const newest = { at: -1, _id: -1 } as const;
  const edges = { stale: new Date(Date.now() - 60_000), offline: new Date(Date.now() - 600_000) };
  return [
    {
      name: 'car',
      body: asked(QUERIES.car, () => ({ id: random(cars) })),
      bare: () => twins.findOne({ _id: random(cars) }),
    },
    {
      name: 'cars(50)',
      body: asked(QUERIES.cars),
      bare: () => twins.find({}, { limit: 50, sort: { _id: 1 } }).toArray(),
      most: 4,
    },
    { name: 'fleet', body: asked(QUERIES.fleet), bare: () => twins.aggregate(FLEET_COUNTS(edges)).toArray(), most: 2 },
    {
      name: 'history(100)',
      body: asked(QUERIES.history, () => ({ id: random(long) })),
      bare: () => readings.find({ car: random(long) }, { limit: 100, sort: newest }).toArray(),
      most: 2,
    },
    {
      name: 'aggregate',
      body: asked(QUERIES.aggregate, () => ({ id: random(long), ...range })),
      bare: () => readings.aggregate(BUCKETS({ ...buckets, car: random(long) })).toArray(),
      most: 2,
    },
  ];
}
