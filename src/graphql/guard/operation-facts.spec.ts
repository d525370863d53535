import { readdirSync, readFileSync } from 'node:fs';
import { buildSchema, parse } from 'graphql/index.js';
import { describe, expect, it } from 'vitest';
import { SIGNAL_NAMES } from '../../telemetry/signals.js';
import { operationFacts } from './operation-facts.js';

const LIMIT = 20_000;
const schema = buildSchema(readFileSync('schemas/schema.graphql', 'utf8'));
const cost = (text: string, variables: Record<string, unknown> | null = {}) =>
  operationFacts(schema, parse(text), variables).cost;
/** What a field of a car costs beside the car. */
const ofCar = (field: string, variables?: Record<string, unknown> | null, head = '') =>
  cost(`query ${head} { car(id: "a") { ${field} } }`, variables) - 1;
const ALL = SIGNAL_NAMES.join(' ');
const DAY = 'from: "2026-06-01T00:00:00Z", to: "2026-06-02T00:00:00Z"';
const YEARS = 'from: "2020-01-01T00:00:00Z", to: "2026-01-01T00:00:00Z"';

describe('the cost of an operation', () => {
  it.each([
    ['buckets and windows', `aggregate(signals: [speed], ${DAY}, step: "PT5M") { step }`, 1 + 15 + 3],
    ['buckets of each signal', `aggregate(signals: [speed coolantTemp], ${DAY}, step: "PT5M") { step }`, 1 + 29 + 3],
    ['one signal that is no list', `aggregate(signals: speed, ${DAY}, step: "PT5M") { step }`, 1 + 15 + 3],
    ['hours where those do', `aggregate(signals: [speed], ${DAY}, step: "PT1H") { step }`, 1 + 2 + 1],
    ['at most what is let through', `aggregate(signals: [${ALL}], ${YEARS}, step: "PT1S") { step }`, 1 + 9_000 + 200],
    ['few buckets of much time', `aggregate(signals: [speed], ${YEARS}, step: "P999999D") { step }`, 1 + 1 + 200],
    [
      'nothing where the range is none',
      `aggregate(signals: [speed], ${DAY.replace('06-02', '05-02')}, step: "P1D") { step }`,
      1,
    ],
    ['points', `series(signals: [speed], ${DAY}, maxPoints: 1000) { unit }`, 3 + 20 + 50],
    ['the points that come unasked', `series(signals: [${ALL}], ${DAY}) { unit }`, 3 + 18 * 45],
    ['two folds', 'diff(from: "2026-06-01T00:00:00Z") { from }', 1 + 200],
    ['a page of rollups', `rollups(step: HOUR, first: 5, ${DAY}) { pageInfo { hasNextPage } }`, 5 * 2 + 100],
  ])('counts %s', (_what, field, expected) => {
    expect(ofCar(field)).toBe(expected);
  });

  it.each([
    ['{ car(id: "a", at: "2026-06-01T00:00:00Z") { id } }', 101],
    ['{ car(id: "a", at: null) { id } }', 1],
    ['query ($at: DateTime) { car(id: "a", at: $at) { id } }', 1],
    ['{ fleet { groupBy(by: [MODEL]) { groups { cars } } } }', 200 + 1 + 1 + 3 + 200],
    ['{ fleet { correlation(measures: [SCORE, speed]) { coverage { cars } } } }', 200 + 1 + 1 + 1 + 600],
    ['{ fleet { coverage { cars } } }', 200 + 2],
    ['{ fleet(at: "2026-06-01T00:00:00Z") { coverage { cars } } }', 200 + 102],
    ['{ fleet { distribution(measure: SCORE) { mean } } }', 200 + 1 + 1 + 400],
    ['{ fleet { extremes(measure: SCORE, first: 5) { coverage { cars } } } }', 200 + 1 + 5 * 2 + 400],
    ['{ fleet { episodeTimes(last: "P7D") { coverage { cars } } } }', 200 + 1 + 2 + 400],
    ['{ compareFleets(left: {}, right: {}, measures: [SCORE]) { coverage { cars } } }', 1 + 1 + 2 + 400],
    ['subscription { fleetUpdates { groupBy(by: [MODEL]) { more } } }', 200 + 1 + 1 + 200],
    [`{ drift(${DAY}) { __typename } }`, 1 + 1_000],
    [`{ modelComparison(model: "a@b", ${DAY}) { __typename } }`, 3 + 200],
    ['{ cars(first: 1) { totalCount } }', 1],
    ['{ cars(first: 1, filter: {}, orderBy: { field: ID }) { totalCount } }', 1],
    ['{ cars(first: 1, filter: { score: null }) { totalCount } }', 1],
    ['{ cars(first: 1, filter: { ids: ["a"], status: SUSPECT }, orderBy: { field: SCORE }) { totalCount } }', 1],
    ['{ cars(first: 1, orderBy: { field: SCORE }) { totalCount } }', 1 + 200],
    ['{ cars(first: 1, filter: { status: SUSPECT }) { totalCount } }', 1 + 400],
    ['query ($s: RangeInput = { min: 1 }) { cars(first: 1, filter: { score: $s }) { totalCount } }', 1 + 400],
  ])('%s: %i', (text, expected) => {
    expect(cost(text)).toBe(expected);
  });

  it('takes what variables and their defaults give, and the largest where they are not known', () => {
    const head = '($from: DateTime!, $to: DateTime!, $step: Duration! = "PT1H", $signals: [SignalName!]!)';
    const field = 'aggregate(signals: $signals, from: $from, to: $to, step: $step) { step }';
    const given = { from: '2026-06-01T00:00:00Z', to: '2026-06-02T00:00:00Z', signals: ['speed', 'coolantTemp'] };
    expect(ofCar(field, given, head)).toBe(1 + 3 + 1);
    expect(ofCar(field, { ...given, step: 'PT5M' }, head)).toBe(1 + 29 + 3);
    expect(ofCar(field, null, head)).toBe(1 + 9_000 + 200);
    expect(ofCar(field, { ...given, from: 'yesterday' }, head)).toBe(1 + 1_000 + 200);
    expect(ofCar('series(signals: [speed], from: $from, to: $to, maxPoints: $n) { unit }', null, head)).toBe(3 + 270);
    expect(cost('query ($at: DateTime) { car(id: "a", at: $at) { id } }', null)).toBe(101);
  });

  it.each([
    ['pages', (n: number) => `a${n}: cars(first: 1, filter: { score: { min: 0.0${n} } }) { totalCount }`],
    ['comparisons', (n: number) => `a${n}: compareFleets(left: {}, right: {}, measures: [SCORE]) { measures { low } }`],
    [
      'summaries',
      (n: number) => `a${n}: fleet(filter: { score: { min: 0.0${n} } }) { distribution(measure: SCORE) { mean } }`,
    ],
  ])('is more than the limit for fifty %s, each of which reads the fleet twice or more', (_what, text) => {
    expect(cost(`{ ${Array.from({ length: 50 }, (_, n) => text(n)).join(' ')} }`)).toBeGreaterThan(LIMIT);
  });

  it('is another one with other parts of a filter', () => {
    const document = parse(
      'query ($ids: [ID!], $s: RangeInput) { cars(first: 1, filter: { ids: $ids, score: $s }) { totalCount } }',
    );
    const costs = [{ ids: ['a'] }, {}, { s: { min: 1 } }].map((given) => operationFacts(schema, document, given).cost);
    expect(costs).toEqual([1, 1, 401]);
  });

  it('is another one with other variables', () => {
    const document = parse('query ($at: DateTime) { car(id: "a", at: $at) { id } }');
    const costs = [null, '2026-06-01T00:00:00Z', null].map((at) => operationFacts(schema, document, { at }).cost);
    expect(costs).toEqual([1, 101, 1]);
  });

  it.each([
    `aggregate(signals: [${ALL}], ${DAY}, step: "PT1S", fill: NULL) { buckets { signals { mean } } }`,
    `aggregate(signals: [speed], ${YEARS}, step: "P999999D") { step }`,
    `series(signals: [${ALL}], ${DAY}) { unit }`,
    'diff(from: "2026-06-01T00:00:00Z") { from }',
    `rollups(step: HOUR, first: 1, ${DAY}) { pageInfo { hasNextPage } }`,
  ])('is more than the limit for a page of cars with %s', (field) => {
    expect(cost(`{ cars(first: 500) { nodes { ${field} } } }`)).toBeGreaterThan(LIMIT);
  });

  it('leaves room for a list of cars with a plot and figures of their day', () => {
    const figures = `aggregate(signals: [speed], ${DAY}, step: "PT15M") { buckets { from signals { mean max } } }`;
    const plot = `series(signals: [speed], ${DAY}, maxPoints: 200) { points { at value } }`;
    expect(cost(`{ cars(first: 100) { nodes { id ${figures} ${plot} } } }`)).toBeLessThan(LIMIT / 2);
  });

  it.each(readdirSync('docs/operations').filter((file) => file.endsWith('.graphql')))(
    'of docs/operations/%s lies well below the limit',
    (file) => {
      const text = readFileSync(`docs/operations/${file}`, 'utf8');
      const given = JSON.parse(/^# variables: (.*)$/m.exec(text)?.[1] ?? '{}') as Record<string, unknown>;
      expect(cost(text, given)).toBeLessThan(LIMIT / 4);
      expect(cost(text, null)).toBeLessThan(LIMIT / 4);
    },
  );
});
