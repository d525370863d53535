import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import avro from 'avsc';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { disordered } from './disorder.js';
import { FILE_FORMATS, type FileFormat } from './file-encoding.js';
import { simulateFleet, type CarMessage } from './fleet.js';
import { readingsOf } from './readings-file.js';
import { writeFileOf } from './write-file.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fleet-twin-files-'));
});
afterAll(() => rm(folder, { recursive: true }));

const DISORDER = { dup: 0.05, shuffle: 30, late: 0.02, skew: 0.1 };

function* messagesOf(seed = 1, messages = 3_000): Generator<CarMessage> {
  const fleet = { cars: 30, seed, start: Date.UTC(2026, 0, 1), stepSeconds: 10, messages, faults: 0.3 };
  yield* disordered(simulateFleet(fleet), DISORDER, seed);
}

/** What a file says of a message: not what is on, which nobody knows. */
function told(messages: Iterable<CarMessage>): CarMessage[] {
  return [...messages].map(({ car, at, signals, label }) => ({ car, at, signals, label, failures: [] }));
}

async function read(file: string): Promise<CarMessage[]> {
  const messages: CarMessage[] = [];
  for await (const message of readingsOf(file)) messages.push(message);
  return messages;
}

async function written(name: string, format: FileFormat, source: Iterable<CarMessage> = messagesOf()): Promise<string> {
  const file = join(folder, `${name}.${format}`);
  await writeFileOf(source, file, { format });
  return file;
}

describe.each(FILE_FORMATS)('a .%s file', (format) => {
  it('gives the messages back as they were', async () => {
    expect(await read(await written('back', format))).toEqual(told(messagesOf()));
  });

  it('has the same bytes for the same seed, and others for another', async () => {
    const bytes = await readFile(await written('first', format));
    expect(bytes.equals(await readFile(await written('second', format)))).toBe(true);
    expect(bytes.equals(await readFile(await written('other', format, messagesOf(2))))).toBe(false);
  });

  it('ends after a whole message when it is interrupted', async () => {
    const stop = new AbortController();
    const interrupted = (function* () {
      let sent = 0;
      for (const message of messagesOf(1, 100_000)) {
        if (++sent === 1_234) stop.abort();
        yield message;
      }
    })();
    const file = join(folder, `interrupted.${format}`);
    const { published } = await writeFileOf(interrupted, file, { format, signal: stop.signal });
    expect(published).toBe(1_233);
    expect(await read(file)).toEqual(told(messagesOf(1, 100_000)).slice(0, published));
  });

  it('may be missing', async () => {
    await expect(read(join(folder, `none.${format}`))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('keeps what is not known unknown', async () => {
    const [first, ...rest] = told(messagesOf());
    if (first === undefined) throw new Error('no message');
    const partly = { ...first, label: null, signals: { ...first.signals, speed: null } };
    expect(await read(await written('partly', format, [partly, ...rest]))).toEqual([partly, ...rest]);
  });
});

describe('an Avro file', () => {
  it('is a container file that avsc reads, with the schema of the project in it', async () => {
    const decoder = avro.createFileDecoder(await written('plain', 'avro'));
    const records: Record<string, unknown>[] = [];
    let schema: { name?: string } = {};
    decoder.once('metadata', (type: avro.Type) => (schema = type.schema() as { name?: string }));
    for await (const record of decoder as AsyncIterable<Record<string, unknown>>) records.push({ ...record });
    expect(schema.name).toBe('fleettwin.CarReading');
    expect(
      records.map(({ car, timestamp, speed, tire_pressure_22, failure_occurred }) => [
        car,
        timestamp,
        speed,
        tire_pressure_22,
        failure_occurred,
      ]),
    ).toEqual(
      told(messagesOf()).map(({ car, at, signals, label }) => [car, at, signals.speed, signals.tirePressure22, label]),
    );
  });

  it('may be without messages', async () => {
    expect(await read(await written('empty', 'avro', []))).toEqual([]);
  });

  it('is read under any schema that has the fields, in any spelling', async () => {
    const file = join(folder, 'foreign.avro');
    const fields = [
      ['CARID', 'string'],
      ['TIME', 'long'],
      ['Tire_Pressure_1_1', 'int'],
      ['comment', 'string'],
    ];
    const schema = { type: 'record' as const, name: 'X', fields: fields.map(([name, type]) => ({ name, type })) };
    const record = { CARID: 'a1', TIME: 1_700_000_000, Tire_Pressure_1_1: 31, comment: 'x' };
    await pipeline(
      Readable.from([record]),
      new avro.streams.BlockEncoder(schema as avro.Schema),
      createWriteStream(file),
    );
    expect(await read(file)).toMatchObject([
      { car: 'a1', at: 1_700_000_000_000, signals: { tirePressure11: 31, speed: null } },
    ]);
  });

  it.each([1, 16, 17, 1_000, 60_000])('says so when it is cut off by %d bytes', async (bytes) => {
    const file = await written('cut', 'avro');
    const { length } = await readFile(file);
    await truncate(file, length - bytes);
    await expect(read(file)).rejects.toThrow(/cut\.avro: after record \d+: it is cut off/);
  });

  it.each([
    ['', /nothing\.avro: no Avro container file: it has no header/],
    ['time,car,speed\n1,a,2\n', /nothing\.avro: after record 0: no Avro container file/],
  ])('says so when it is something else: %j', async (text, message) => {
    const file = join(folder, 'nothing.avro');
    await writeFile(file, text);
    await expect(read(file)).rejects.toThrow(message);
  });
});

describe('a JSON-lines file', () => {
  const GOOD = '{"car":"a","timestamp":1700000000,"speed":1}';

  it.each([
    ['{"car":"a"', /line 2: "\{\\"car\\":\\"a\\"" is not JSON/],
    ['[1]', /line 2: is not an object/],
    ['{"timestamp":1,"speed":1}', /line 2, column car: "" is no car id/],
    ['{"car":"a b","timestamp":1,"speed":1}', /line 2, column car: "a b" is no car id/],
    ['{"car":"a","speed":1}', /line 2: neither the message nor its record has a time/],
    ['{"car":"a","timestamp":"soon","speed":1}', /line 2: the time/],
    ['{"car":"a","timestamp":1,"speed":"fast"}', /line 2, column speed: "fast": "speed" is a string, not a number/],
    ['{"car":"a","timestamp":1}', /line 2: none of the signals is there/],
  ])('says where it cannot be read: %s', async (line, message) => {
    const file = join(folder, 'bad.jsonl');
    await writeFile(file, `${GOOD}\n${line}\n${GOOD}\n`);
    await expect(read(file)).rejects.toThrow(message);
  });

  it('may have empty lines, other line ends and no last one', async () => {
    const file = join(folder, 'odd.jsonl');
    await writeFile(file, `${GOOD}\r\n\n${GOOD}`);
    expect(await read(file)).toHaveLength(2);
  });

  it('is not a folder', async () => {
    const file = join(folder, 'folder.jsonl');
    await mkdir(file);
    await expect(read(file)).rejects.toMatchObject({ code: 'EISDIR' });
  });
});

it('other files are refused by their ending', async () => {
  await expect(read('readings.parquet')).rejects.toThrow('readings.parquet: neither .csv nor .jsonl nor .avro');
});
