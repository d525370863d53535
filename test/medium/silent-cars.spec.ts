import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Ingest } from '../../src/pipeline/ingest.js';
import type { SourceRecord } from '../../src/kafka/record-batch.js';
import { NOON, aReading, aRecord } from '../builders/sensor.js';
import { TOPIC, TestLog, ingestRig, type Rig, type TestProcess } from '../ingest-rig.js';
import { databaseServers } from '../servers.js';

const MINUTE = 60_000;
const HOUR = 3_600_000;

describe.each(databaseServers())('silent cars on $name', (server) => {
  let running: { uri: string; stop(): Promise<void> };
  let log: TestLog;
  let rig: Rig;
  let now = NOON;

  beforeAll(async () => {
    running = await server.start();
  });
  afterAll(() => running?.stop());
  beforeEach(async () => {
    now = NOON;
    log = new TestLog();
    rig = await ingestRig(running.uri, log);
  });
  afterEach(() => rig.close());

  const started = (noDataAfter: number | null = HOUR, process = rig.process({ clock: () => now })) => {
    const ingest = new Ingest(process.workshop, () => Promise.resolve(0), noDataAfter);
    ingest.assigned(TOPIC, [0]);
    return ingest;
  };
  /** All that is in the log, handed in as Kafka's client would. */
  const drain = (process: TestProcess = rig.process({ clock: () => now })) => process.drain();
  const send = (car: string, at: number, record: Partial<SourceRecord> = {}, speed = 10) =>
    log.records.push(aRecord(log.high, aReading({ car, at, signals: { speed } }), { timestamp: at, ...record }));
  const episodes = () => rig.database.collections.anomalies.find().sort({ _id: 1 }).toArray();
  const twinOf = (car: string) => rig.database.collections.twins.findOne({ _id: car });
  const told = () =>
    rig.published
      .filter(({ topic }) => topic === 'car-anomalies')
      .map(({ value }) => JSON.parse(String(value)) as { event: string; episode: string });
  /** A round of a process that was just started, as far as it goes. */
  const round = async (ingest: Ingest) => {
    await ingest.betweenBatches();
    await ingest.stop();
  };

  it('get an episode although nobody sends, after a restart, named by when they were last seen', async () => {
    send('quiet', NOON);
    send('quiet', NOON + 10_000);
    send('lively', NOON + 30 * MINUTE);
    await drain();
    now = NOON + 10_000 + HOUR;
    await round(started());
    expect(await episodes()).toEqual([]);
    now += 1;
    await round(started());
    const seen = new Date(NOON + 10_000);
    expect(await episodes()).toMatchObject([
      {
        _id: `quiet/NO_DATA/${seen.toISOString()}`,
        status: 'OPEN',
        severity: 'MINOR',
        openedAt: seen,
        updatedAt: new Date(now),
        readings: 0,
        peak: null,
        model: '',
        topSignals: [],
        timeline: [{ event: 'OPENED', at: new Date(now), ratio: 0, sequence: 1 }],
      },
    ]);
    expect(await twinOf('quiet')).toMatchObject({ status: 'NORMAL', revision: 2, openEpisodes: { NO_DATA: {} } });
    expect(told()).toMatchObject([{ event: 'OPENED', kind: 'NO_DATA', value: null, at: new Date(now).toISOString() }]);
    // Whoever looks again, now or later, finds nothing new.
    now += MINUTE;
    await round(started());
    expect([await episodes(), told()].map(({ length }) => length)).toEqual([1, 1]);
  });

  it('are heard of again with their next reading, in its own transaction; the next silence is another episode', async () => {
    send('quiet', NOON);
    await drain();
    now = NOON + 2 * HOUR;
    await round(started());
    // A reading from before the silence is late and ends nothing.
    send('quiet', NOON - MINUTE, { timestamp: now });
    await drain();
    expect(await episodes()).toMatchObject([{ status: 'OPEN' }]);
    send('quiet', now, { timestamp: now });
    await drain();
    expect(await episodes()).toMatchObject([{ status: 'CLEARED', clearedAt: new Date(now), peak: null }]);
    expect((await twinOf('quiet'))?.openEpisodes).toEqual({});
    now += 2 * HOUR;
    await round(started());
    expect((await episodes()).map(({ status, openedAt }) => [status, openedAt.getTime() - NOON])).toEqual([
      ['CLEARED', 0],
      ['OPEN', 2 * HOUR],
    ]);
    expect(told().map(({ event }) => event)).toEqual(['OPENED', 'CLEARED', 'OPENED']);
  });

  it('a reading of the same instant ends a silence whose id is used up', async () => {
    send('quiet', NOON);
    await drain();
    now = NOON + 2 * HOUR;
    await round(started());
    for (const speed of [11, 12, 13, 14]) send('quiet', NOON, { timestamp: now }, speed);
    await drain();
    now += 2 * HOUR;
    await round(started());
    expect(await episodes()).toHaveLength(1);
    send('quiet', now, { timestamp: now });
    now += 2 * HOUR;
    await drain();
    await round(started());
    expect((await episodes()).filter(({ status }) => status === 'OPEN')).toHaveLength(1);
  });

  it('are not those whose old data are replayed, nor those whose newer readings wait in the log', async () => {
    now = NOON + 100 * 24 * HOUR;
    send('replayed', NOON, { timestamp: now });
    await drain();
    now += 10 * MINUTE;
    await round(started());
    send('waiting', NOON + 100 * 24 * HOUR);
    await drain();
    send('waiting', NOON + 100 * 24 * HOUR + 2 * HOUR);
    now += 3 * HOUR;
    await round(started());
    expect(await episodes()).toEqual([]);
    await drain();
    await round(started());
    expect((await episodes()).map(({ car }) => car)).toEqual(['replayed', 'waiting']);
  });

  it('that are many at once are one condition of the fleet; those that stay away get theirs when the others are back', async () => {
    for (let car = 0; car < 80; car += 1) send(`car${car}`, NOON + car * 100);
    send('alone', NOON - 30 * MINUTE);
    await drain();
    now = NOON + 2 * HOUR;
    await round(started());
    expect((await episodes()).map(({ car }) => car)).toEqual(['alone']);
    expect(rig.lines.filter((line) => line.startsWith('error SILENT'))).toHaveLength(1);
    for (let car = 5; car < 80; car += 1) send(`car${car}`, now + car * 100);
    await drain();
    now += MINUTE;
    await round(started());
    expect((await episodes()).map(({ car }) => car)).toEqual(['alone', 'car0', 'car1', 'car2', 'car3', 'car4']);
  });

  it('are left alone where no time is set, and by a process that lost the partition', async () => {
    send('quiet', NOON);
    await drain();
    now = NOON + 2 * HOUR;
    await round(started(null));
    expect(await episodes()).toEqual([]);
    now = NOON + MINUTE;
    const sleeper = started();
    await sleeper.betweenBatches();
    now = NOON + 2 * HOUR;
    const owner = rig.process({ clock: () => now, holder: 'owner' });
    await owner.writer.takeOver(owner.signal);
    await round(sleeper);
    expect(await episodes()).toEqual([]);
    expect(rig.lines).toContain('warn the work between batches waits');
  });
});
