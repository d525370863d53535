import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { trainCommand } from '../../src/cli/train.js';
import { createDecoder } from '../../src/decode/decode.js';
import { gatherTrainingSet } from '../../src/score/training-set.js';
import { simulateFleet } from '../../src/simulator/fleet.js';
import { writeFileOf } from '../../src/simulator/write-file.js';
import type { Reading } from '../../src/telemetry/reading.js';
import { historyReadings, type HistoryProgress, type HistoryWindow } from '../../src/training/history-readings.js';
import { NOON, aRecord } from '../builders/sensor.js';
import { TestLog, ingestRig, type Rig } from '../ingest-rig.js';
import { databaseServers } from '../servers.js';

const decoder = createDecoder({ format: 'auto', maxBody: 65_536, clockAhead: 60_000 });
const START = NOON - 3_600_000;
const messages = [...simulateFleet({ cars: 60, seed: 3, start: START, stepSeconds: 10, messages: 6_000, faults: 0.1 })];
const readings: Reading[] = messages.map(({ car, at, signals, label }) => ({
  car,
  at,
  skewedAt: null,
  signals,
  label,
}));

describe.each(databaseServers())('training from the history on $name', (server) => {
  let running: { uri: string; stop(): Promise<void> };
  let rig: Rig;
  let folder: string;

  beforeAll(async () => {
    running = await server.start();
    const log = new TestLog();
    for (const reading of readings) log.records.push(aRecord(log.high, reading));
    rig = await ingestRig(running.uri, log);
    // The rig's own decoder knows no labels.
    await rig.process({ decode: (records) => decoder.decode(records) }).drain();
    process.env['MONGODB_URI'] = running.uri;
    process.env['MONGODB_DATABASE'] = rig.database.db.databaseName;
  });
  afterAll(async () => {
    delete process.env['MONGODB_DATABASE'];
    await rig?.close();
    await running?.stop();
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fleet-twin-train-history-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  function historyOf(window: Partial<HistoryWindow> = {}, signal = new AbortController().signal) {
    const progress: HistoryProgress[] = [];
    const onProgress = (one: HistoryProgress) => progress.push(one);
    const all = { from: START, to: NOON, ...window };
    return { rows: historyReadings(rig.database, all, { onProgress, signal }), progress };
  }

  async function train(...args: string[]): Promise<void> {
    const command = trainCommand().exitOverride();
    await command.parseAsync([...args, '--epochs', '1', '--quantile', '0.99'], { from: 'user' });
  }

  async function versionOf(dir: string): Promise<string> {
    return (JSON.parse(await readFile(join(dir, 'metadata.json'), 'utf8')) as { version: string }).version;
  }

  it('keeps the same rows as from the log that the history was made of', async () => {
    const fromLog = await gatherTrainingSet(readings, 'drawn');
    const { rows, progress } = historyOf();
    const fromHistory = await gatherTrainingSet(rows, 'drawn');
    expect(fromHistory).toEqual(fromLog);
    expect(fromHistory.readings).toBe(6_000);
    expect(fromHistory.leftOut).toBeGreaterThan(0);
    expect(progress.at(-1)?.records).toBe(6_000);
    expect(progress.at(-1)?.bytes).toBeGreaterThan(6_000 * 300);
  });

  it('takes a window, of which the end is not part', async () => {
    const [from, to] = [readings[1_000]?.at ?? 0, readings[2_000]?.at ?? 0];
    const seen: number[] = [];
    for await (const { at } of historyOf({ from, to }).rows) seen.push(at);
    expect(seen).toEqual(readings.map(({ at }) => at).filter((at) => at >= from && at < to));
  });

  it('makes the same model as from a file with the same readings', async () => {
    const [fromHistory, fromFile] = [join(folder, 'history'), join(folder, 'file')];
    const file = join(folder, 'readings.jsonl');
    await writeFileOf(messages, file, { format: 'jsonl' });
    await train('--from-history', '--from', new Date(START).toISOString(), '--out', fromHistory);
    await train('--from-file', file, '--out', fromFile);
    expect(await versionOf(fromHistory)).toBe(await versionOf(fromFile));
  });

  it('says in one message that a window is empty, and writes nothing', async () => {
    const out = join(folder, 'none');
    const window = ['--from', '2020-01-01', '--to', '2020-01-02'];
    const training = train('--from-history', ...window, '--out', out);
    await expect(training).rejects.toThrow(
      'there is no reading in the history from 2020-01-01T00:00:00.000Z to 2020-01-02T00:00:00.000Z',
    );
    await expect(train('--from-history', '--from', '2020-01-02', '--to', '2020-01-01', '--out', out)).rejects.toThrow(
      'the window ends before it begins',
    );
    await expect(train('--from-history', '--from-file', 'x.csv', '--out', out)).rejects.toThrow('not more');
    expect(await readdir(folder)).toEqual([]);
  });

  it('ends at the signal', async () => {
    const stop = new AbortController();
    let count = 0;
    const interrupted = async () => {
      for await (const reading of historyOf({}, stop.signal).rows) {
        if (reading.car !== '' && ++count === 1) stop.abort(new Error('interrupted'));
      }
    };
    await expect(interrupted()).rejects.toThrow('interrupted');
    expect(count).toBeLessThan(6_000);
  });
});
