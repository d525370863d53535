import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { buildSchema, parse, TypeInfo, visit, visitWithTypeInfo, type GraphQLSchema } from 'graphql/index.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registerModel } from '../../src/registry/model-store.js';
import { type Api, startApi } from '../builders/api.js';
import { aModelFolder } from '../builders/model.js';
import { AFTERWARDS, seedSmallFleet } from '../builders/small-fleet.js';
import { Subscriber } from '../builders/subscriber.js';

const FOLDER = 'docs/operations';
const OPERATIONS = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.graphql'))
  .sort()
  .map((file) => ({ file, text: readFileSync(join(FOLDER, file), 'utf8') }));
const isSubscription = ({ text }: { text: string }) => /^subscription\b/m.test(text);
/** How long a subscription that is refused may take to say so, ms. */
const REFUSED_WITHIN = 1_000;

/** `# variables: {…}` among the comments. */
function variablesOf(text: string): Record<string, unknown> {
  const found = /^# variables: (.*)$/m.exec(text)?.[1];
  return found === undefined ? {} : (JSON.parse(found) as Record<string, unknown>);
}

let api: Api;
let models: string;
beforeAll(async () => {
  models = mkdtempSync(join(tmpdir(), 'operations-'));
  api = await startApi({ database: `operations_${process.pid}`, clock: () => AFTERWARDS });
  await seedSmallFleet(api.database);
  const registered = { by: 'ann', note: '', now: new Date(AFTERWARDS) };
  for (const version of ['1', '2'])
    await registerModel(api.database, aModelFolder(models, { name: 'example', version }), registered);
});
afterAll(async () => {
  rmSync(models, { recursive: true, force: true });
  await api.stop();
});

describe('the examples in docs/operations', () => {
  it.each(OPERATIONS.filter((one) => !isSubscription(one)))('$file answers without an error', async ({ text }) => {
    const { data, errors } = await api.query(text, variablesOf(text));
    expect(errors).toBeUndefined();
    for (const [field, value] of Object.entries(data)) expect(value, field).not.toBeNull();
  });

  it.each(OPERATIONS.filter(isSubscription))('$file is taken', async ({ text }) => {
    const subscriber = new Subscriber(api.url, text, variablesOf(text));
    try {
      await delay(REFUSED_WITHIN);
      expect([subscriber.errors, subscriber.ended]).toEqual([null, false]);
    } finally {
      await subscriber.close();
    }
  });

  it('use every query, mutation and subscription that there is', () => {
    const schema = buildSchema(readFileSync('schemas/schema.graphql', 'utf8'));
    const used = new Set(OPERATIONS.flatMap(({ text }) => rootFields(schema, text)));
    const all = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap((type) =>
      Object.keys(type?.getFields() ?? {}).map((field) => `${type?.name}.${field}`),
    );
    expect(all.filter((field) => !used.has(field))).toEqual([]);
  });
});

function rootFields(schema: GraphQLSchema, text: string): string[] {
  const info = new TypeInfo(schema);
  const fields: string[] = [];
  const note = ({ name }: { name: { value: string } }) => {
    const parent = info.getParentType()?.name ?? '';
    if (['Query', 'Mutation', 'Subscription'].includes(parent)) fields.push(`${parent}.${name.value}`);
  };
  visit(parse(text), visitWithTypeInfo(info, { Field: note }));
  return fields;
}
