import { readFileSync } from 'node:fs';
import {
  buildSchema,
  getNamedType,
  type GraphQLInputType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql/index.js';
import { expect } from 'vitest';
import { SCHEMA_FILE } from '../../src/graphql/schema-file.js';

export type Variables = Record<string, unknown> | null;

export const SCHEMA = buildSchema(readFileSync(SCHEMA_FILE, 'utf8'));
export const TIMES = 'from: "2026-06-01T00:00:00.000Z", to: "2026-06-02T00:00:00.000Z"';

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
export function operationsNaming(name: string): [string, Variables][] {
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
