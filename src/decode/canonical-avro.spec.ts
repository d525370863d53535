import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NOON, aReading } from '../../test/builders/sensor.js';
import { canonicalEncoder } from './canonical-avro.js';
import { createDecoder } from './decode.js';

const READINGS = [
  aReading({ label: true }),
  aReading({ car: 'car2', at: NOON + 1, signals: { speed: null, tirePressure22: 23.5 } }),
];
const asRecords = (encoded: Awaited<ReturnType<ReturnType<typeof canonicalEncoder>['encode']>>) =>
  encoded.map(({ value, headers }, index) => ({
    key: Buffer.from(READINGS[index]?.car ?? ''),
    value,
    // Not the reading's time: that is in the record.
    timestamp: NOON + 77_000,
    headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])),
  }));
const OPTIONS = { format: 'auto', maxBody: 262_144, clockAhead: 300_000 } as const;

describe('canonicalEncoder without a registry', () => {
  it('makes records that the decoder reads as the same readings', async () => {
    const encoded = await canonicalEncoder({ topic: 'sensor-data-avro' }).encode(READINGS);
    const decoded = await createDecoder(OPTIONS).decode(asRecords(encoded));
    expect(decoded.map((one) => one.decoded)).toEqual(READINGS.map((reading) => ({ kind: 'reading', reading })));
  });
});

describe('canonicalEncoder with a registry', () => {
  let server: Server;
  let url: string;
  let asked: string[];
  let schema: string | null;
  let refuses: boolean;

  beforeEach(async () => {
    asked = [];
    schema = null;
    refuses = false;
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      request.on('end', () => {
        asked.push(`${request.method} ${request.url}`);
        const said = refuses
          ? { error_code: 409, message: 'not compatible' }
          : request.method === 'POST'
            ? { id: 42 }
            : { schema };
        if (request.method === 'POST') schema = (JSON.parse(body) as { schema: string }).schema;
        response.writeHead(refuses ? 409 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(said));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('registers the schema once, and frames records so that a decoder with that registry reads them', async () => {
    const encoder = canonicalEncoder({ topic: 'sensor-data-avro', registryUrl: url });
    await encoder.encode(READINGS);
    const encoded = await encoder.encode(READINGS);
    expect(asked).toEqual(['POST /subjects/sensor-data-avro-value/versions']);
    expect(encoded[0]?.value.subarray(0, 5)).toEqual(Buffer.from([0, 0, 0, 0, 42]));
    const decoded = await createDecoder({ ...OPTIONS, registryUrl: url }).decode(asRecords(encoded));
    expect(decoded.map((one) => one.decoded)).toEqual(READINGS.map((reading) => ({ kind: 'reading', reading })));
    expect(asked).toHaveLength(2);
  });

  it('asks again after a registry did not take the schema', async () => {
    const encoder = canonicalEncoder({ topic: 'sensor-data-avro', registryUrl: url });
    refuses = true;
    await expect(encoder.encode(READINGS)).rejects.toMatchObject({ code: 'REGISTRY_REFUSED', retriable: true });
    refuses = false;
    expect(await encoder.encode(READINGS)).toHaveLength(2);
  });

  it('asks nothing where there is nothing to encode', async () => {
    expect(await canonicalEncoder({ topic: 'sensor-data-avro', registryUrl: url }).encode([])).toEqual([]);
    expect(asked).toEqual([]);
  });
});
