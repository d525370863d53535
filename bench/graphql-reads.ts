import { FLEET_COUNTS } from '../src/fleet/summary.js';
import type { Database } from '../src/twin/database.js';

/** One kind of question, as the API takes it and as the bare driver reads what the answer is made of. */
export interface Read {
  readonly name: string;
  readonly body: () => string;
  readonly bare: () => Promise<unknown>;
}

const CAR = 'id status freshness reportedAt score { value ratio } signals { speed engineVibrationAmplitude }';
const QUERIES = {
  car: `query Car($id: ID!) { car(id: $id) { ${CAR} } }`,
  cars: `query Cars($after: String) { cars(first: 50, after: $after) { nodes { ${CAR} } pageInfo { endCursor } } }`,
  fleet:
    'query Fleet { fleet { byStatus { status cars } byFreshness { freshness cars } score { p50 p99 } coverage { cars } } }',
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
      bare: () => twins.find({ _id: { $gt: random(cars) } }, { limit: 50, sort: { _id: 1 } }).toArray(),
    },
    { name: 'fleet', body: asked(QUERIES.fleet), bare: () => twins.aggregate(FLEET_COUNTS(edges)).toArray() },
    {
      name: 'history(100)',
      body: asked(QUERIES.history, () => ({ id: random(long) })),
      bare: () => readings.find({ car: random(long) }, { limit: 100, sort: newest }).toArray(),
    },
  ];
}
