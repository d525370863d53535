import { type DocumentNode, getNamedType, isObjectType, parse, validate } from 'graphql/index.js';
import { describe, expect, it } from 'vitest';
import { operationsNaming, SCHEMA, TIMES, type Variables } from '../../../test/builders/operations-naming.js';
import type { Role } from '../../access/viewer.js';
import type { ApiError } from '../api-error.js';
import { columnsFor } from '../export/export-columns.js';
import { maskedFields, unknownMask } from './masks.js';
import { OperationGuard } from './operation-guard.js';
import { SYNONYMS } from './synonyms.js';

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

const nameIn = (field: string) => field.split('.')[1] ?? '';
/** Names that say another thing of each object, and objects that stand below a masked field or are of something else. */
const NAMES_APART = ['at', 'by', 'model', 'readings', 'value', 'values', 'version'];
const OBJECTS_APART = ['AnomalyHandling', 'HandlingStep', 'DesiredSet', 'FreshnessCount', 'StatusCount', 'Source'];
const APART: ReadonlySet<string> = new Set([...NAMES_APART, ...OBJECTS_APART, 'ArrayReading', 'ArrayScore']);

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
