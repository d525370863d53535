import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EXPECTED_SIGNALS, FROM_REGISTRY, fixture } from '../../test/fixtures/messages/good.js';
import { createDecoder } from './decode.js';
import { SchemaRegistry } from './schema-registry.js';

const UPPER_CASE = fixture('upper-case.avsc').toString();
const NOW = 1_700_000_000_000;
const RECORD = { ...FROM_REGISTRY, timestamp: NOW, headers: {} };

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

let server: Server;
let url: string;
let asked: string[];
let answer: Answer;

beforeEach(async () => {
  asked = [];
  answer = json(200, { schema: UPPER_CASE });
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    answer(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function json(status: number, body: unknown): Answer {
  return (response) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function text(status: number, body: string): Answer {
  return (response) => response.writeHead(status).end(body);
}

const MISSING = json(404, { error_code: 40_403, message: 'Schema not found' });

function decoderOf(registryUrl: string) {
  return createDecoder({ format: 'auto', maxBody: 262_144, clockAhead: 300_000, registryUrl });
}

async function lookUp(registry: SchemaRegistry, id = 77) {
  return (await registry.lookUp(new Set([id]))).get(id);
}

describe('a decoder with a registry', () => {
  it('reads what the registry has the schema of, and asks once', async () => {
    const decoder = decoderOf(`${url}/`);
    for (let round = 0; round < 3; round += 1) {
      const decoded = await decoder.decode([RECORD, RECORD]);
      expect(decoded[1]?.decoded).toMatchObject({
        kind: 'reading',
        reading: { car: 'car1', signals: EXPECTED_SIGNALS },
      });
    }
    expect(asked).toEqual(['/schemas/ids/77']);
  });

  it('keeps the path of the URL, and sends its user and password', async () => {
    let authorization: string | undefined;
    answer = (response, request) => {
      authorization = request.headers.authorization;
      json(200, { schema: UPPER_CASE })(response, request);
    };
    const { host } = new URL(url);
    const [one] = await decoderOf(`http://us%20er:p%40ss@${host}/apis/ccompat/v7`).decode([RECORD]);
    expect(one?.decoded.kind).toBe('reading');
    expect(asked).toEqual(['/apis/ccompat/v7/schemas/ids/77']);
    expect(authorization).toBe(`Basic ${Buffer.from('us er:p@ss').toString('base64')}`);
  });

  it('rejects the records of an id that does not exist, and only those', async () => {
    answer = MISSING;
    const json = { ...RECORD, value: Buffer.from('{"speed":1}') };
    const decoded = await decoderOf(url).decode([json, RECORD, json]);
    expect(decoded.map((one) => one.decoded.kind)).toEqual(['reading', 'rejected', 'reading']);
    expect(decoded[1]?.decoded).toMatchObject({ reason: 'UNKNOWN_SCHEMA', car: 'car1' });
  });

  it('asks nothing for JSON, for bodies that are too large, and for ids that cannot be', async () => {
    const value = (bytes: Buffer) => ({ ...RECORD, value: bytes });
    const large = Buffer.concat([RECORD.value, Buffer.alloc(300_000)]);
    const records = [
      value(Buffer.from('{"speed":1}')),
      value(large),
      value(Buffer.from([0, 0x80, 0, 0, 0, 1])),
      value(Buffer.from([0, 1])),
    ];
    await decoderOf(url).decode(records);
    expect(asked).toEqual([]);
  });

  it.each([
    ['is not Avro', { schema: '{}', schemaType: 'PROTOBUF' }],
    ['refers to others', { schema: UPPER_CASE, references: [{ name: 'a', subject: 'b', version: 1 }] }],
    ['is not JSON', { schema: 'record R {}' }],
    ['is no schema', { schema: '{"type":"recrod"}' }],
    ['is no record', { schema: '"double"' }],
  ])('rejects the records of a schema that %s', async (_, body) => {
    answer = json(200, body);
    expect((await decoderOf(url).decode([RECORD]))[0]?.decoded).toMatchObject({ reason: 'UNUSABLE_SCHEMA' });
  });
});

describe('a registry that cannot be asked is no fault of the record', () => {
  it.each<[string, string, Answer]>([
    ['has a fault of its own', 'REGISTRY_UNAVAILABLE', json(500, { error_code: 50_001 })],
    ['is busy', 'REGISTRY_UNAVAILABLE', text(429, '')],
    ['hangs up', 'REGISTRY_UNAVAILABLE', (response) => response.destroy()],
    [
      'hangs up in the middle',
      'REGISTRY_UNAVAILABLE',
      (response) => response.writeHead(200, { 'content-length': 99 }).write('{', () => response.destroy()),
    ],
    ['wants a password', 'REGISTRY_REFUSED', json(401, { error_code: 401 })],
    ['is a web page', 'REGISTRY_UNINTELLIGIBLE', text(200, '<html>')],
    ['is another service', 'REGISTRY_UNINTELLIGIBLE', json(200, { hello: 'world' })],
    ['lies elsewhere', 'REGISTRY_UNINTELLIGIBLE', json(404, { error_code: 404, message: 'HTTP 404 Not Found' })],
    ['talks without end', 'REGISTRY_UNINTELLIGIBLE', text(200, 'x'.repeat(2_000_000))],
  ])('when it %s: %s', async (_, code, given) => {
    answer = given;
    await expect(decoderOf(url).decode([RECORD])).rejects.toMatchObject({ name: 'DecodeFault', code, retriable: true });
    answer = json(200, { schema: UPPER_CASE });
    const again = await decoderOf(url).decode([RECORD]);
    expect(again[0]?.decoded.kind).toBe('reading');
  });

  it('when it is down, and the batch can be decoded once it is back', async () => {
    const decoder = decoderOf(url);
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    await expect(decoder.decode([RECORD])).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE', retriable: true });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    expect((await decoder.decode([RECORD]))[0]?.decoded.kind).toBe('reading');
  });

  it('when it is slow: answer, or body', async () => {
    const registry = new SchemaRegistry({ url, timeout: 100 });
    answer = () => undefined;
    await expect(lookUp(registry)).rejects.toMatchObject({
      code: 'REGISTRY_UNAVAILABLE',
      message: expect.stringContaining('100 ms'),
    });
    answer = (response) => response.writeHead(200).write('{');
    await expect(lookUp(registry)).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
  });

  it('and its password is in no message', async () => {
    const registry = new SchemaRegistry({ url: 'http://user:secret@127.0.0.1:1', timeout: 1_000 });
    await expect(lookUp(registry)).rejects.toMatchObject({ message: expect.not.stringContaining('secret') });
  });
});

describe('what a registry is remembered for', () => {
  it('that an id is missing is believed for a while', async () => {
    let now = 0;
    const registry = new SchemaRegistry({ url, missingFor: 1_000, clock: () => now });
    answer = MISSING;
    await lookUp(registry);
    now = 999;
    expect(await lookUp(registry)).toMatchObject({ reason: 'UNKNOWN_SCHEMA' });
    answer = json(200, { schema: UPPER_CASE });
    expect(asked).toHaveLength(1);
    now = 1_000;
    expect(await lookUp(registry)).toMatchObject({ name: 'fleettwin.test.UpperCase' });
    expect(asked).toHaveLength(2);
  });

  it('that the latest 500 schemas are kept', async () => {
    const registry = new SchemaRegistry({ url });
    await registry.lookUp(new Set(Array.from({ length: 501 }, (_, id) => id)));
    expect([registry.known(0), registry.known(500)]).toEqual([undefined, expect.anything()]);
  });

  it('what was learned before a fault', async () => {
    const registry = new SchemaRegistry({ url });
    answer = (response, request) =>
      (request.url?.endsWith('/9') ? text(503, '') : json(200, { schema: UPPER_CASE }))(response, request);
    await expect(registry.lookUp(new Set([1, 2, 3, 9]))).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
    await expect.poll(() => [1, 2, 3].every((id) => registry.known(id))).toBe(true);
  });
});
