import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Ingest } from '../../src/pipeline/ingest.js';
import { NOON, aReading, aRecord } from '../builders/sensor.js';
import { TOPIC, TestLog, ingestRig, type Rig } from '../ingest-rig.js';
import { databaseServers } from '../servers.js';
import { handleEpisode } from '../../src/twin/handle-episode.js';

const HOUR = 3_600_000;

describe.each(databaseServers())('a partition without traffic on $name', (server) => {
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

  const send = (car: string, second: number, speed = 10) =>
    log.records.push(aRecord(log.high, aReading({ car, at: NOON + second * 1_000, signals: { speed } })));
  /** A process whose Kafka client has joined the group, and that has applied what is in the log. */
  const joined = async () => {
    const process = rig.process({ clock: () => now });
    const ingest = new Ingest(process.workshop, () => Promise.resolve(0), HOUR);
    ingest.assigned(TOPIC, [0]);
    const { records, high: highWatermark } = log;
    const { signal } = process;
    await ingest.handle({ topic: TOPIC, partition: 0, records, highWatermark, generation: 1, signal });
    return ingest;
  };
  const episodes = () => rig.database.collections.anomalies.find().sort({ _id: 1 }).toArray();
  const positionNow = () => rig.database.collections.positions.findOne({ _id: `${TOPIC}/00000` });

  it('that went to another process and came back is worked on between batches again', async () => {
    for (const second of [1, 2, 3]) send('car1', second, 50);
    const first = await joined();
    const second = await joined();
    // Kafka gives it back; a process that was thrown out of the group never hears that it had lost anything.
    await second.stop();
    first.assigned(TOPIC, [0]);
    const [episode] = await episodes();
    await handleEpisode(rig.database, episode?._id ?? '', { event: 'ACKNOWLEDGED', at: new Date(now), by: 'ann' });
    now += 2 * HOUR;
    for (let round = 0; round < 2; round += 1) {
      await first.tell();
      await first.betweenBatches();
      now += HOUR / 10;
    }
    expect(await rig.database.collections.handlings.countDocuments()).toBe(0);
    expect((await episodes()).map(({ kind, status }) => [kind, status])).toContainEqual(['NO_DATA', 'OPEN']);
    await first.stop();
  });

  it('whose car was written elsewhere meanwhile is worked on in the next round', async () => {
    send('car1', 1);
    const ingest = await joined();
    await rig.database.collections.twins.updateOne({ _id: 'car1' }, { $inc: { revision: 1 } });
    now += 2 * HOUR;
    for (let round = 0; round < 2; round += 1) {
      await ingest.betweenBatches();
      now += HOUR / 10;
    }
    expect(await episodes()).toMatchObject([{ kind: 'NO_DATA', status: 'OPEN' }]);
    await ingest.stop();
  });

  it('whose position was removed by hand goes on with events that nobody has seen', async () => {
    for (const second of [1, 2, 3]) send('car1', second, 50);
    await rig.process().drain();
    await rig.database.collections.positions.deleteOne({ _id: `${TOPIC}/00000` });
    for (const second of [4, 5, 6]) send('car2', second, 50);
    await rig.process().drain();
    expect(rig.letters).toEqual([]);
    expect((await episodes()).map(({ car }) => car)).toEqual(['car1', 'car2']);
    expect(await positionNow()).toMatchObject({ counts: { rejected: 0 } });
  });
});
