import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Ingest } from '../../src/pipeline/ingest.js';
import { NOON, aReading, aRecord } from '../builders/sensor.js';
import { TOPIC, TestLog, ingestRig, type Rig } from '../ingest-rig.js';
import { databaseServers } from '../servers.js';
import { PendingCommit } from '../../src/twin/commit-batch.js';
import type { EpisodeEventDocument } from '../../src/twin/documents.js';
import { handlingEvents } from '../../src/twin/handling-events.js';
import { takeOver } from '../../src/twin/positions.js';
import { handleEpisode } from '../../src/twin/handle-episode.js';

const idOf = ({ _id }: { _id: string }) => _id;
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

  it('in which a write between batches was refused is worked on in the next round', async () => {
    send('car1', 1);
    const ingest = await joined();
    const { events } = rig.database.collections;
    const _id = `${TOPIC}/00000/0000000000000001`;
    await events.insertOne({ _id } as EpisodeEventDocument);
    now += 2 * HOUR;
    await ingest.betweenBatches();
    expect(await episodes()).toEqual([]);
    await events.deleteOne({ _id });
    now += HOUR / 10;
    await ingest.betweenBatches();
    expect(await episodes()).toMatchObject([{ kind: 'NO_DATA', status: 'OPEN' }]);
    await ingest.stop();
  });

  it('and another one, since partitions were added, tell what people did with an episode once between them', async () => {
    for (const second of [1, 2, 3]) send('car1', second, 50);
    await (await joined()).stop();
    const other = await takeOver(rig.database, TOPIC, 1, { holder: 'other', now: new Date(now) });
    const [episode] = await episodes();
    await handleEpisode(rig.database, episode?._id ?? '', { event: 'ACKNOWLEDGED', at: new Date(now), by: 'ann' });
    const { handlings, events, positions } = rig.database.collections;
    const waiting = await handlings.find().toArray();
    const before = await positions.find().sort({ _id: 1 }).toArray();
    expect(before.at(-1)).toEqual(other);
    // Both have read what waits when the first one commits.
    const outcomes: string[] = [];
    for (const position of before) {
      const told = handlingEvents(waiting, new Map(episode ? [[episode._id, episode]] : []), position, new Date(now));
      const { next, last } = position;
      const none = { counted: {}, readings: [], twins: [], episodes: [] };
      const eventSequence = position.eventSequence + 1;
      const write = { ...none, before: position, next, last, eventSequence, events: told, told: waiting.map(idOf) };
      outcomes.push((await new PendingCommit(rig.database, write).attempt()).kind);
    }
    expect(outcomes).toEqual(['committed', 'stale-twins']);
    expect(await events.countDocuments({ event: 'ACKNOWLEDGED' })).toBe(1);
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
