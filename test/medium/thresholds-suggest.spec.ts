import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { handleEpisode } from '../../src/twin/handle-episode.js';
import type { Label } from '../../src/twin/handling-documents.js';
import { onlyScorer, type Scorer } from '../../src/telemetry/score.js';
import { NOON, aReading, aRecord, aScore } from '../builders/sensor.js';
import { TestLog, ingestRig, type Rig } from '../ingest-rig.js';
import { databaseServers } from '../servers.js';

const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'src', 'cli', 'main.js');

/** The score is the speed, the threshold 1; a tire is blamed. */
const scorer: Scorer = {
  model: 'test@1',
  score: (batch) =>
    Promise.resolve(
      batch.map(({ reading }) => ({ kind: 'scored', score: aScore(reading.signals.speed ?? 0), memory: null })),
    ),
};

describe.each(databaseServers())('fleet-twin thresholds suggest on $name', (server) => {
  let running: { uri: string; stop(): Promise<void> };
  let log: TestLog;
  let rig: Rig;

  beforeAll(async () => {
    running = await server.start();
  });
  afterAll(() => running?.stop());
  beforeEach(async () => {
    log = new TestLog();
    rig = await ingestRig(running.uri, log);
  });
  afterEach(() => rig.close());

  function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const env = { ...process.env, MONGODB_URI: running.uri, MONGODB_DATABASE: rig.database.db.databaseName };
    return new Promise((resolve) => {
      execFile(process.execPath, [MAIN, 'thresholds', 'suggest', ...args], { env }, (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
      });
    });
  }
  const drive = async (cars: Record<string, number[]>) => {
    for (const [car, speeds] of Object.entries(cars))
      speeds.forEach((speed, second) => {
        log.records.push(aRecord(log.high, aReading({ car, at: NOON + second * 1_000, signals: { speed } })));
      });
    await rig.process({ scorers: onlyScorer(scorer) }).drain();
  };
  const label = async (labels: Record<string, Label>) => {
    for (const [car, given] of Object.entries(labels)) {
      const episode = await rig.database.collections.anomalies.findOne({ car });
      const entry = { event: 'LABELLED', at: new Date(NOON), by: 'anna', label: given } as const;
      expect((await handleEpisode(rig.database, String(episode?._id), entry)).kind).toBe('handled');
    }
  };
  /** A peak says little: what decides is what three of five readings exceed. */
  const CARS = {
    real: [0, 4, 5, 9, 4, 0],
    real2: [6, 6, 6, 6],
    unreal: [0, 1.5, 8, 1.6, 1.5, 0],
    unreal2: [2, 0, 2, 0, 2, 2, 0.95],
    known: [1.2, 1.2, 1.2],
    unlabelled: [1.8, 1.8, 1.8],
    calm: [0, 0, 0],
  };

  it('proposes what keeps every TRUE episode and drops the FALSE ones, and tells what it would have changed', async () => {
    await drive(CARS);
    await label({ real: 'TRUE', real2: 'TRUE', unreal: 'FALSE', unreal2: 'FALSE', known: 'KNOWN' });
    const { code, stdout, stderr } = await run('--days', '36500');
    expect([code, stderr]).toEqual([0, '']);
    const id = (car: string, second: number) => `${car}/TIRE/${new Date(NOON + second * 1_000).toISOString()}`;
    expect(stdout.trim().split('\n')).toEqual([
      'test@1: threshold 3.0000 instead of 1.0000 (3.000 times)',
      '  labels: 2 TRUE, 2 FALSE, 1 KNOWN (not looked at)',
      '  agreement 100.0 % instead of 50.0 % (mean of TRUE kept and FALSE dropped)',
      '  FALSE ones that would not have opened: 2',
      `    ${id('unreal', 3)}  opens below 1.5000`,
      `    ${id('unreal2', 4)}  opens below 2.0000`,
      '  TRUE ones that would not have opened: 0',
      '  of the 6 episodes of the last 36500 days 4 would not have opened',
    ]);
    // Its history expired: the peak, from the opening on, is the most that can have been.
    await rig.database.collections.readings.deleteMany({ car: 'unreal' });
    const again = JSON.parse((await run('--days', '36500', '--json')).stdout) as Record<string, unknown>;
    const dropped = [
      { id: id('unreal', 3), opening: 1.6 },
      { id: id('unreal2', 4), opening: 2 },
    ];
    expect(again).toMatchObject({ byPeak: 1, threshold: 3, droppedFalse: dropped });
    // None of them opened within a day.
    expect(JSON.parse((await run('--days', '1', '--json')).stdout)).toMatchObject({ recent: { episodes: 0 } });
  });

  it.each<[string, Record<string, Label>, string]>([
    ['no label', {}, 'no episode is labelled TRUE or FALSE'],
    ['one label only', { real: 'TRUE', real2: 'TRUE', known: 'KNOWN' }, 'all 2 of them are labelled TRUE'],
  ])('ends with one message and exit code 1 where there is %s', async (_, labels, message) => {
    await drive(CARS);
    await label(labels);
    const { code, stdout, stderr } = await run();
    expect([code, stdout, stderr.trim().split('\n').length]).toEqual([1, '', 1]);
    expect(stderr).toContain(`${message}: a threshold is learned from both`);
  });
});
