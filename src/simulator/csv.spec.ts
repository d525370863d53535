import { existsSync } from 'node:fs';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { parseCsv, readCsv } from './csv.js';
import { CsvError } from './csv-header.js';
import { simulateFleet, type CarMessage } from './fleet.js';
import { CSV_HEADER, csvLine } from './wire.js';

async function all(source: AsyncIterable<CarMessage>): Promise<CarMessage[]> {
  const messages: CarMessage[] = [];
  for await (const message of source) messages.push(message);
  return messages;
}

function read(text: string): Promise<CarMessage[]> {
  return all(parseCsv(Readable.from([text])));
}

describe('reading a CSV', () => {
  it('gives back what was written', async () => {
    const options = { cars: 5, seed: 3, start: Date.UTC(2026, 0, 1), stepSeconds: 1, messages: 200, faults: 0.5 };
    const written = [...simulateFleet(options)];
    const text = [CSV_HEADER, ...written.map(csvLine)].join('\n');
    // What failed is known to the simulator alone.
    expect(await read(text)).toEqual(written.map((message) => Object.assign(message, { failures: [] })));
  });

  it.each(['tire_pressure11', 'tire_pressure_11', 'tire_pressure_1_1', 'tirePressure11', 'TIRE_PRESSURE_1_1_VALUE'])(
    'takes the spelling %s',
    async (title) => {
      expect((await read(`time,car,${title}\n1,car1,32\n`))[0]?.signals).toMatchObject({
        tirePressure11: 32,
        speed: null,
      });
    },
  );

  it.each([
    ['1567606196', 1_567_606_196_000],
    ['1567606196.25', 1_567_606_196_250],
    ['1567606196123', 1_567_606_196_123],
    ['2026-01-31T12:00:00Z', Date.UTC(2026, 0, 31, 12)],
    ['2026-01-31T12:00:00+01:00', Date.UTC(2026, 0, 31, 11)],
    ['2026-01-31 12:00:00', Date.UTC(2026, 0, 31, 12)],
    ['2026-01-31', Date.UTC(2026, 0, 31)],
  ])('takes the time %s', async (time, at) => {
    expect((await read(`time,car,speed\n${time},car1,3\n`))[0]?.at).toBe(at);
  });

  it('keeps the order of the file, other orders of columns, quotes, empty fields and the label', async () => {
    const text = '\uFEFFspeed,failure_occurred,car,time\r\n3,TRUE,car2,2\r\n\r\n"4",false,car1,1\r\n,,car1,1\r\n';
    expect(await read(text)).toMatchObject([
      { car: 'car2', at: 2_000, label: true, signals: { speed: 3 } },
      { car: 'car1', at: 1_000, label: false, signals: { speed: 4 } },
      { car: 'car1', at: 1_000, label: null, signals: { speed: null } },
    ]);
  });

  it.each([
    ['time,car,speed\n1,car1,5\n1,car1,fast\n', 'line 3, column speed: "fast" is no number'],
    ['time,car,speed\n1,car1,Infinity\n', 'line 2, column speed: "Infinity" is no number'],
    [
      'time,car,speed\nnoon,car1,5\n',
      'line 2, column time: "noon" is no time: seconds or milliseconds since 1970, or ISO 8601',
    ],
    [
      'time,car,speed\n,car1,5\n',
      'line 2, column time: "" is no time: seconds or milliseconds since 1970, or ISO 8601',
    ],
    ['time,car,speed\n1,car 1,5\n', 'line 2, column car: "car 1" is no car id: 1 to 64 letters, digits, _ or -'],
    [
      'time,car,speed,failure_occurred\n1,car1,5,maybe\n',
      'line 2, column failure_occurred: "maybe" is neither true nor false',
    ],
    ['time,car,speed\n1,car1\n', 'line 2: 2 fields, the header has 3'],
    ['time,car,speed\n1,"car1,5\n', /^line 2: .*[Qq]uote/],
    ['time,car,spede\n', 'line 1, column spede: is neither time, car, failure_occurred nor one of the signals'],
    ['time,car,speed,Speed\n', 'line 1, column Speed: there is a column for speed already'],
    ['time,speed\n', 'line 1, column car: is missing in the header'],
    ['time,car\n', 'line 1: the header names no signal'],
    ['', 'line 1: the file is empty'],
  ])('says where %j is wrong', async (text, message) => {
    const reading = read(text);
    await expect(reading).rejects.toThrow(CsvError);
    await expect(reading).rejects.toThrow(message);
  });

  it('fails when there is no such file', async () => {
    await expect(all(readCsv('no/such/file.csv'))).rejects.toThrow('no/such/file.csv');
  });

  const sample = '../shared/data/car-sensor-data.csv';
  it.skipIf(!existsSync(sample))(`reads ${sample} (skipped where it is missing)`, async () => {
    const messages = await all(readCsv(sample));
    expect(messages).toHaveLength(10_000);
    expect(new Set(messages.map(({ car }) => car)).size).toBe(100);
    expect(messages[0]).toMatchObject({
      car: 'car1',
      at: 1_567_606_196_000,
      label: null,
      signals: { coolantTemp: 39.395103, tirePressure11: 32, controlUnitFirmware: 2_000 },
    });
  });
});
