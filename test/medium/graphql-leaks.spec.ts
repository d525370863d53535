import {
  buildSchema,
  getNamedType,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  isInterfaceType,
  isLeafType,
  isNonNullType,
  isObjectType,
  isUnionType,
} from 'graphql/index.js';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LiveFeeds } from '../../src/graphql/live/live-feeds.js';
import { type Api, startApi } from '../builders/api.js';
import { as, authEnv } from '../builders/keys.js';
import { AFTERWARDS, moreTrouble, seedSmallFleet } from '../builders/small-fleet.js';
import { Subscriber } from '../builders/subscriber.js';

/** What a viewer of north must never read: ids, plates and fleets of other cars. */
const FOREIGN = /car-[345]|S [34]|south/;
/** How deep selections go: cars, nodes, open anomalies, their car, its readings. */
const DEEP = 5;

/**
 * Values for arguments that a field needs, or that bring it to show more; every field at the root that needs some has to be
 * here. Those that name a foreign car are to find nothing.
 */
const RANGE = 'from: "2026-06-01T00:00:00Z", to: "2026-06-02T00:00:00Z"';
const EPISODE = 'car-4/TIRE/2026-06-01T12:08:40.000Z';
const CALLS: Readonly<Record<string, readonly string[]>> = {
  'Query.car': [
    'id: "car-1"',
    'id: "car-4"',
    'id: "car-5"',
    'id: "car-4", at: "2026-06-01T12:09:00Z"',
    'id: "car-1", at: "2026-06-01T12:09:00Z"',
  ],
  'Query.cars': [
    'first: 100',
    'filter: { fleet: ["south"] }',
    'filter: { ids: ["car-4"] }',
    'orderBy: { field: SCORE }',
  ],
  'Query.node': ['id: "car-1"', 'id: "car-4"', `id: "${EPISODE}"`, 'id: "sensor-data/0000/00000/0000000000000003"'],
  'Query.anomalies': ['first: 100', 'filter: { car: "car-4" }', 'filter: { status: OPEN }'],
  'Query.arrayReadings': ['topic: "ecg-data"'],
  'Query.drift': [RANGE],
  'Query.modelComparison': [`model: "m@1", ${RANGE}`],
  'Query.erasure': ['car: "car-4"'],
  'Car.rollups': [`step: HOUR, ${RANGE}`],
  'Fleet.rollups': [`step: HOUR, ${RANGE}`],
  'Car.aggregate': [`signals: [speed], step: "PT1H", ${RANGE}`],
  'Car.series': [`signals: [speed], ${RANGE}`],
  'Query.fleet': ['', 'filter: { fleet: ["south"] }', 'at: "2026-06-01T12:05:00Z"'],
  'Query.compareFleets': ['left: {}, right: { filter: { fleet: ["south"] } }, measures: [speed]'],
  'Fleet.groupBy': ['by: [FLEET]'],
  'Fleet.distribution': ['measure: speed'],
  'Fleet.extremes': ['measure: speed'],
  'Fleet.correlation': ['measures: [speed, SCORE]'],
  'Fleet.failureRates': [`by: FLEET, ${RANGE}`],
  'Fleet.episodeTimes': [RANGE],
  'Car.diff': ['from: "2026-06-01T12:00:00Z"'],
};

/** Refused to such a viewer, and all that is beside it in the answer with it: asked for by itself below. */
const REFUSED: ReadonlySet<string> = new Set(['Fleet.rollups']);

const schema = buildSchema(readFileSync('schemas/schema.graphql', 'utf8'));
const IN_UNIONS = new Set(
  Object.values(schema.getTypeMap()).flatMap((type) =>
    isUnionType(type) || isInterfaceType(type) ? schema.getPossibleTypes(type).map(({ name }) => name) : [],
  ),
);
let api: Api;

beforeAll(async () => {
  const env = { ...authEnv(), LIMIT_COST: '1000000', LIMIT_ALIASES: '5000' };
  api = await startApi({ database: `gql_leaks_${process.pid}`, clock: () => AFTERWARDS, env });
  await seedSmallFleet(api.database);
});
afterAll(() => api.stop());

/** Everything of a type that can be selected, a few levels deep. */
function selection(type: GraphQLNamedType, depth: number, path: readonly string[]): string {
  if (isLeafType(type)) return '';
  if (isUnionType(type) || isInterfaceType(type)) {
    const each = schema.getPossibleTypes(type).map((one) => {
      const inner = selection(one, depth, path);
      return inner === '' ? '' : `... on ${one.name} ${inner}`;
    });
    return `{ __typename ${each.join(' ')} }`;
  }
  if (!isObjectType(type) || depth === 0) return '';
  const fields = Object.values(type.getFields()).flatMap((field) => fieldOf(type.name, field, depth, path));
  return fields.length === 0 ? '' : `{ ${fields.join(' ')} }`;
}

function fieldOf(
  parent: string,
  field: GraphQLField<unknown, unknown>,
  depth: number,
  path: readonly string[],
): string[] {
  const name = `${parent}.${field.name}`;
  if (REFUSED.has(name)) return [];
  const [call] = CALLS[name] ?? [];
  const needed = field.args.some(({ type, defaultValue }) => isNonNullType(type) && defaultValue === undefined);
  if (needed && call === undefined) throw new Error(`${name} needs arguments: say in CALLS which`);
  // A type within itself is looked into twice.
  if (path.filter((one) => one === name).length > 1) return [];
  const type = getNamedType(field.type);
  const inner = selection(type, depth - 1, [...path, name]);
  if (!isLeafType(type) && inner === '') return [];
  // Fields of the same name may differ in the types of a union.
  const alias = IN_UNIONS.has(parent) ? `${parent}_${field.name}: ` : '';
  return [`${alias}${field.name}${call === undefined ? '' : `(${call})`} ${inner}`];
}

function operations(root: ReturnType<GraphQLSchema['getQueryType']>): { name: string; call: string; text: string }[] {
  return Object.values(root?.getFields() ?? {}).flatMap((field) => {
    const name = `${root?.name}.${field.name}`;
    const needed = field.args.some(({ type, defaultValue }) => isNonNullType(type) && defaultValue === undefined);
    const calls = CALLS[name] ?? (needed ? [] : ['']);
    if (calls.length === 0) throw new Error(`${name} needs arguments: say in CALLS which`);
    return calls.map((call) => ({
      name,
      call,
      text: `${field.name}${call === '' ? '' : `(${call})`} ${selection(getNamedType(field.type), DEEP, [name])}`,
    }));
  });
}

/** Everything that was answered, without the errors, which repeat what was asked. */
async function answered(text: string, who: Parameters<typeof as>[0]): Promise<string> {
  const { data, errors } = await api.query(`{ ${text} }`, {}, as(who));
  const codes = errors?.map(({ extensions, message }) => `${extensions.code} ${message}`) ?? [];
  for (const one of codes)
    expect(one).toMatch(/^(FORBIDDEN|UNKNOWN_MODEL|NOT_FOUND|BAD_ARGUMENT Anomalies have windows)/);
  return JSON.stringify(data);
}

describe('a viewer of one fleet', () => {
  it.each(operations(schema.getQueryType()))('reads nothing of others from $name($call)', async ({ text, call }) => {
    const seen = await answered(text, 'northViewer');
    expect(seen.match(FOREIGN)?.[0], seen.slice(0, 2_000)).toBeUndefined();
    // The same question by who may see everything shows that there was something not to be seen.
    const all = await answered(text, 'admin');
    if ((call.includes('car-4') && !call.startsWith('car:')) || call.includes('first: 100'))
      expect(all).toMatch(FOREIGN);
  });

  it('is refused the rollups of the whole fleet', async () => {
    const query = `{ fleet { rollups(step: HOUR, ${RANGE}) { nodes { readings } } } }`;
    const { data, errors } = await api.query(query, {}, as('northViewer'));
    expect([data, errors?.[0]?.extensions.code]).toEqual([null, 'FORBIDDEN']);
  });

  it('is told nothing of others by any subscription', async () => {
    const subscribers = operations(schema.getSubscriptionType()).map(
      ({ text }) => new Subscriber(api.url, `subscription { ${text} }`, {}, { params: as('northViewer') }),
    );
    const all = new Subscriber(
      api.url,
      'subscription { anomalies { ... on AnomalyEvent { carId } } }',
      {},
      { params: as('admin') },
    );
    const feeds = api.app.get(LiveFeeds);
    await expect.poll(() => feeds.subscribers, { timeout: 60_000 }).toBe(subscribers.length + 1);
    await moreTrouble(api.database);
    await all.until(({ items }) => JSON.stringify(items).includes('car-3'));
    await all.until(({ items }) => JSON.stringify(items).includes('car-1'));
    for (const one of subscribers) await one.until(({ items }) => items.length > 0);
    await delay(1_000);
    for (const { items, errors } of subscribers) {
      expect(errors).toBeNull();
      expect(JSON.stringify(items)).not.toMatch(FOREIGN);
    }
    expect(subscribers.every(({ items }) => items.length > 0)).toBe(true);
    for (const one of [...subscribers, all]) await one.close();
  });
});
