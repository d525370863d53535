import { readFileSync } from 'node:fs';
import {
  buildSchema,
  type DocumentNode,
  getNamedType,
  type GraphQLInputType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  parse,
  validate,
} from 'graphql/index.js';
import { describe, expect, it } from 'vitest';
import type { Role } from '../../access/viewer.js';
import type { ApiError } from '../api-error.js';
import { columnsFor } from '../export/export-columns.js';
import { SCHEMA_FILE } from '../schema-file.js';
import { maskedFields, unknownMask } from './masks.js';
import { OperationGuard } from './operation-guard.js';
import { SYNONYMS } from './synonyms.js';

type Variables = Record<string, unknown> | null;

const SCHEMA = buildSchema(readFileSync(SCHEMA_FILE, 'utf8'));
const TIMES = 'from: "2026-06-01T00:00:00.000Z", to: "2026-06-02T00:00:00.000Z"';

const known = new Map<string, DocumentNode>();
function parsed(text: string): DocumentNode {
  const document = known.get(text) ?? parse(text);
  if (!known.has(text)) expect(validate(SCHEMA, document)).toEqual([]);
  known.set(text, document);
  return document;
}

/** What the guard says to an operation: null where it lets it through. */
async function told(mask: string, text: string, variables: Variables = {}, role: Role = 'viewer') {
  const document = parsed(text);
  const limits = { cost: 1e9, rate: 0, introspection: true, masked: maskedFields(mask) };
  const viewer = { name: 'x', role, fleets: null, expiresAt: null };
  try {
    await new OperationGuard(limits, Date.now).check(SCHEMA, document, variables, viewer, 'x');
    return null;
  } catch (error) {
    return `${(error as ApiError).code} ${(error as Error).message}`;
  }
}

/** How a field of a type is asked for. */
const OUTPUTS: Readonly<Record<string, (field: string) => string>> = {
  Car: (field) => `{ car(id: "a") { ${field} } }`,
  CarDiff: (field) => `{ car(id: "a") { diff(${TIMES}) { ${field} } } }`,
  Coverage: (field) => `{ fleet { coverage { ${field} } } }`,
  FleetGroup: (field) => `{ fleet { byFirmware { groups { ${field} } } } }`,
  EpisodeTimes: (field) => `{ fleet { episodeTimes(last: "P1D") { kinds { ${field} } } } }`,
  Counters: (field) => `{ car(id: "a") { counters { ${field} } } }`,
  AggregateBucket: (field) =>
    `{ car(id: "a") { aggregate(signals: [currentDraw], step: "PT1H", ${TIMES}) { buckets { ${field} } } } }`,
  Model: (field) => `{ models { ${field} } }`,
  ModelComparison: (field) => `{ modelComparison(model: "a@1", ${TIMES}) { ${field} } }`,
  Command: (field) => `{ node(id: "a") { ... on Command { ${field} } } }`,
  CommandStep: (field) => `{ car(id: "a") { commands { nodes { timeline { ${field} } } } } }`,
  AcceptedState: (field) => `{ car(id: "a") { desired { accepted { ${field} } } } }`,
  Anomaly: (field) => `{ anomalies { nodes { ${field} } } }`,
  AnomalyHandling: (field) => `{ anomalies { nodes { handling { ${field} } } } }`,
  HandlingStep: (field) => `{ anomalies { nodes { handling { timeline { ${field} } } } } }`,
  ArrayScore: (field) => `{ arrayReadings(topic: "a") { nodes { score { ${field} } } } }`,
  ArrayErrors: (field) => `{ arrayReadings(topic: "a") { nodes { score { errors { ${field} } } } } }`,
  CarAttributes: (field) => `{ cars { nodes { formerAttributes { ${field} } } } }`,
  Score: (field) => `{ fleet { extremes(measure: speed) { cars { car { score { ${field} } } } } } }`,
  Signals: (field) => `{ node(id: "a") { ... on Reading { signals { ${field} } } } }`,
  Reading: (field) => `{ car(id: "a") { history { nodes { ${field} } } } }`,
  Fleet: (field) => `{ fleet { ${field} } }`,
  Drift: (field) => `{ drift(${TIMES}) { groups { ${field} } } }`,
  DesiredState: (field) => `{ cars { nodes { desired { ...d } } } } fragment d on DesiredState { x: ${field} }`,
  Rollup: (field) => `{ fleet { rollups(step: HOUR, ${TIMES}) { nodes { ${field} } } } }`,
  SignalRollups: (field) => `{ fleet { rollups(step: HOUR, ${TIMES}) { nodes { signals { ${field} } } } } }`,
  Peak: (field) => `{ anomalies { nodes { peak { ${field} } } } }`,
  TimelineStep: (field) => `{ anomalies { nodes { timeline { ${field} } } } }`,
  AnomalyEvent: (field) => `subscription { anomalies { ... on AnomalyEvent { ${field} } } }`,
};

/** Arguments of a type: each says `$v`, of this type. */
const INPUTS: Readonly<Record<string, readonly [string, readonly string[]]>> = {
  CarFilterInput: [
    'CarFilterInput!',
    [
      '{ cars(filter: $v) { totalCount } }',
      '{ fleet(filter: $v) { coverage { cars } } }',
      '{ compareFleets(left: { filter: $v }, right: {}, measures: [currentDraw]) { coverage { cars } } }',
    ],
  ],
  CarUpdateFilterInput: ['CarUpdateFilterInput', ['subscription { carUpdates(filter: $v) { __typename } }']],
  AnomalyEventFilterInput: ['AnomalyEventFilterInput', ['subscription { anomalies(filter: $v) { __typename } }']],
  SignalName: [
    'SignalName!',
    [
      '{ cars(filter: { signals: [{ signal: $v, min: 9 }] }) { totalCount } }',
      `{ car(id: "a") { aggregate(signals: [$v], step: "PT1H", ${TIMES}) { step } } }`,
      `{ car(id: "a") { series(signals: [$v], ${TIMES}) { unit } } }`,
      '{ car(id: "a") { history(signals: [$v]) { nodes { id } } } }',
    ],
  ],
  FleetMeasure: [
    'FleetMeasure!',
    [
      '{ fleet { extremes(measure: $v) { cars { value } } } }',
      '{ fleet { distribution(measure: $v) { mean } } }',
      '{ fleet { groupBy(by: [FLEET], measure: $v) { groups { mean } } } }',
      '{ fleet { correlation(measures: [currentDraw, $v]) { matrix } } }',
      '{ compareFleets(left: {}, right: {}, measures: [$v]) { coverage { cars } } }',
    ],
  ],
  FleetDimension: [
    'FleetDimension!',
    [
      '{ fleet { groupBy(by: [$v]) { groups { cars } } } }',
      `{ fleet { failureRates(by: $v, ${TIMES}) { groups { rate } } } }`,
    ],
  ],
  AnomalyFilterInput: ['AnomalyFilterInput', ['{ anomalies(filter: $v) { nodes { id } } }']],
  AnomalyKind: [
    'AnomalyKind!',
    [
      '{ anomalies(filter: { kind: [$v] }) { nodes { id } } }',
      '{ cars(filter: { openKind: [$v] }) { totalCount } }',
      `{ fleet { failureRates(by: MODEL, kinds: [$v], ${TIMES}) { more } } }`,
      'subscription { anomalies(filter: { kind: [$v] }) { __typename } }',
    ],
  ],
  AnomalySeverity: [
    'AnomalySeverity!',
    [
      '{ anomalies(filter: { severity: [$v] }) { nodes { id } } }',
      'subscription { anomalies(filter: { severity: [$v] }) { __typename } }',
    ],
  ],
  CarOrderField: ['CarOrderField!', ['{ cars(orderBy: { field: $v }) { nodes { id } } }']],
};

/** A value of an input type, as JSON. */
function sample(type: GraphQLInputType): unknown {
  if (isNonNullType(type)) return sample(type.ofType);
  if (isListType(type)) return [sample(type.ofType)];
  if (isEnumType(type)) return type.getValues()[0]?.name;
  if (isInputObjectType(type)) {
    const needed = Object.values(type.getFields()).filter((field) => isNonNullType(field.type));
    return Object.fromEntries(needed.map((field) => [field.name, sample(field.type)]));
  }
  return ({ Float: 1, Boolean: true } as Record<string, unknown>)[type.name] ?? 'x';
}

/** The text of a value: an enum value is the only text in capitals. */
const literal = (value: unknown): string =>
  JSON.stringify(value)
    .replaceAll(/"(\w+)":/g, '$1: ')
    .replaceAll(/"([A-Z_]{2,}|accelerometer11)"/g, '$1');

/** Operations that name something, with their variables; null variables are not known before the operation runs. */
function operationsNaming(name: string): [string, Variables][] {
  const [owner, member] = name.split('.') as [string, string];
  const type = SCHEMA.getType(owner);
  if (isObjectType(type)) {
    const { type: inner, args } = type.getFields()[member] ?? expect.fail(`There is no ${name}`);
    const given = args.some((arg) => isNonNullType(arg.type)) ? '(first: 1)' : '';
    const leaf = 'getFields' in getNamedType(inner) ? `${member}${given} { __typename }` : member;
    return [[(OUTPUTS[owner] ?? expect.fail(`No example asks for ${name}`))(leaf), {}]];
  }
  const [declared, templates] = INPUTS[owner] ?? expect.fail(`No example names ${name}`);
  const field = isInputObjectType(type) ? type.getFields()[member] : undefined;
  if (!field && !(isEnumType(type) && type.getValue(member))) expect.fail(`There is no ${name}`);
  const value = field ? { [member]: sample(field.type) } : member;
  return templates.flatMap((template): [string, Variables][] => {
    const spelled = field ? literal(value) : member;
    const whole = template.startsWith('subscription') ? template : `query ${template}`;
    const withVariable = whole.replace(' ', ` ($v: ${declared}) `);
    const withDefault = whole.replace(' ', ` ($v: ${declared} = ${spelled}) `);
    return [
      [whole.replace('$v', spelled), {}],
      [withVariable, { v: value }],
      [withDefault, {}],
      [withVariable, null],
    ];
  });
}

const nameIn = (field: string) => field.split('.')[1] ?? '';
/** Names that say another thing of each object, and objects that stand below a masked field or are of something else. */
const APART: ReadonlySet<string> = new Set([
  ...['at', 'by', 'model', 'readings', 'value', 'values', 'version'],
  ...['AnomalyHandling', 'HandlingStep', 'DesiredSet', 'FreshnessCount', 'StatusCount', 'Source'],
  ...['ArrayReading', 'ArrayScore'],
]);

/** Fields of other object types with the same name and type. */
function namesakesOf(field: string): string[] {
  const types = Object.values(SCHEMA.getTypeMap()).filter((type) => isObjectType(type));
  const typeOf = (name: string) =>
    types.find((type) => name.startsWith(`${type.name}.`))?.getFields()[nameIn(name)]?.type;
  const named = types.flatMap((type) => (type.getFields()[nameIn(field)] ? [`${type.name}.${nameIn(field)}`] : []));
  const same = (one: string, other: string) => getNamedType(typeOf(one))?.name === getNamedType(typeOf(other))?.name;
  return named.filter((other) => other !== field && same(field, other));
}

describe('a masked field', () => {
  it.each(Object.entries(SYNONYMS))('%s takes its synonyms along', async (field, names) => {
    const wrong: string[] = [];
    for (const name of new Set([field, ...names]))
      for (const [text, variables] of operationsNaming(name)) {
        const refused = await told(`viewer:${field}`, text, variables);
        const allowed = await told(`viewer:${field}`, text, variables, 'operator');
        if (!refused?.startsWith('FORBIDDEN The role viewer') || allowed !== null) wrong.push(`${name}: ${text}`);
      }
    expect(wrong).toEqual([]);
  });

  it.each(Object.entries(SYNONYMS))('%s takes along what has the same name and type elsewhere', (field, names) => {
    const group = [field, ...names].filter((name) => isObjectType(SCHEMA.getType(name.split('.')[0] ?? '')));
    const others = group.flatMap((name) => namesakesOf(name).map((other) => [name, other] as const));
    const left = others.filter(
      ([, other]) => !group.includes(other) && !other.split('.').some((part) => APART.has(part)),
    );
    expect([...new Set(left.map((pair) => pair.join(' and ')))]).toEqual([]);
  });

  it.each([
    ['Car.freshness', '{ fleet { byFirmware { groups { stale } } } }'],
    ['Car.lastSeenAt', '{ car(id: "a") { reportedAt } }'],
    ['Car.reportedAt', '{ cars(orderBy: { field: LAST_SEEN }) { nodes { id } } }'],
    ['Car.openEpisodes', `{ car(id: "a") { diff(${TIMES}) { opened } } }`],
    ['Car.openEpisodes', `{ car(id: "a") { diff(${TIMES}) { cleared } } }`],
    ['Anomaly.kind', `{ fleet { failureRates(by: MODEL, kinds: [TIRE], ${TIMES}) { more } } }`],
    ['Car.desired', '{ node(id: "a") { ... on Command { values } } }'],
  ])('%s is not told by %s', async (field, text) => {
    expect(await told(`viewer:${field}`, text)).toMatch(/^FORBIDDEN/);
    expect(await told('viewer:Reading.unscored', text)).toBeNull();
  });

  it('is named by an argument that is left to its default', async () => {
    const text = `query ($by: FleetDimension!, $or: FleetDimension! = STATUS) { fleet {
      failureRates(by: $by, ${TIMES}) { groups { rate } } other: failureRates(by: $or, ${TIMES}) { groups { rate } } } }`;
    const bare = `{ fleet { failureRates(${TIMES}) { groups { rate } } } }`;
    const mask = 'viewer:Signals.controlUnitFirmware';
    expect(await told(mask, bare)).toBe('FORBIDDEN The role viewer does not see FleetDimension.FIRMWARE');
    expect(await told(mask, text)).toContain('FleetDimension.FIRMWARE');
    expect(await told(mask, text, { by: 'MODEL', or: 'STATUS' })).toBeNull();
    expect(await told(mask, text, { by: 'MODEL', or: 'FIRMWARE' })).toContain('FleetDimension.FIRMWARE');
  });

  it('leaves alone what only has its name, and filters that say nothing', async () => {
    const anomalies = '{ anomalies(filter: { status: OPEN }) { nodes { status } } }';
    expect(await told('viewer:Car.status,viewer:Signals.speed', anomalies)).toBeNull();
    const filtered = 'query ($f: CarFilterInput, $s: String) { cars(filter: $f, after: $s) { totalCount } }';
    const variables = { f: { status: null, ids: ['speed'], model: ['speed'] }, s: 'speed' };
    expect(await told('viewer:Car.status,viewer:Signals.speed', filtered, variables)).toBeNull();
    const live =
      'subscription ($f: CarUpdateFilterInput, $a: String) { carUpdates(filter: $f, after: $a) { __typename } }';
    expect(await told('viewer:CarAttributes.plate', live, null)).toBeNull();
  });

  it('is not shown by an export, nor does one filter by it', () => {
    const names = (mask: string, fleets: string[] | null) =>
      columnsFor({ role: 'viewer' }, maskedFields(mask), { signals: null, fleets }).map(({ name }) => name);
    expect(names('viewer:Car.score', ['north'])).not.toContain('ratio');
    expect(names('viewer:Signals.speed', null)).not.toContain('speed');
    expect(names('viewer:CarAttributes.fleet', null)).toContain('speed');
    expect(() => names('viewer:CarAttributes.fleet', ['north'])).toThrow('CarAttributes.fleet');
  });

  it('has to be one of the schema', () => {
    expect(unknownMask('viewer:Signals.tirePressure11,operator:Query.auditLog', SCHEMA)).toBeNull();
    expect(unknownMask('viewer:Car.score,viewer:Signals.Speed', SCHEMA)).toContain('the nearest is Signals.speed');
    expect(unknownMask('viewer:Car.plat', SCHEMA)).toContain('there is no Car.plat in the schema');
    expect(unknownMask('viewer:CarFilterInput.model', SCHEMA)).not.toBeNull();
  });
});
