import fc from 'fast-check';
import { MongoServerError, type ClientSession } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Step } from '../../src/pipeline/observer.js';
import { STEPS } from '../../src/pipeline/observer.js';
import { downgradeEpisodes, eraseCar } from '../../src/pipeline/between-batches.js';
import { PendingCommit, type BatchWrite } from '../../src/twin/commit-batch.js';
import { takeOver } from '../../src/twin/positions.js';
import type { Reading } from '../../src/telemetry/reading.js';
import { onlyScorer } from '../../src/telemetry/score.js';
import { NOON, aReading, aRecord } from '../builders/sensor.js';
import { TOPIC, TestLog, ingestRig, speedScorer, type Rig } from '../ingest-rig.js';
import { databaseServers } from '../servers.js';

/** One reading of a car, `second` after noon; above 40 m/s it is anomalous. */
const at = (second: number, speed = 10, car = 'car1') =>
  aReading({ car, at: NOON + second * 1_000, signals: { speed } });
const fill = (log: TestLog, readings: readonly Reading[]) => {
  for (const reading of readings) log.records.push(aRecord(log.high, reading));
};
const bound = (target: object, name: string | symbol) => {
  const value: unknown = Reflect.get(target, name);
  return typeof value === 'function' ? (value.bind(target) as unknown) : value;
};
/** A session whose commits arrive while their answers do not. */
const losingAnswers = (session: ClientSession): ClientSession => {
  const commit = session.commitTransaction.bind(session);
  session.commitTransaction = async () => {
    await commit();
    const error = new MongoServerError({ message: 'the answer is lost' });
    error.addErrorLabel('UnknownTransactionCommitResult');
    throw error;
  };
  return session;
};
const gate = () => {
  let open = () => undefined as void;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
};

describe.each(databaseServers())('store contract on $name', (server) => {
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

  const twinOf = (car = 'car1') => rig.database.collections.twins.findOne({ _id: car });
  const positionNow = () => rig.database.collections.positions.findOne({ _id: `${TOPIC}/00000` });
  const rows = () => rig.database.collections.readings.find().sort({ _id: 1 }).toArray();
  const snapshot = async () => {
    const { twins, readings, positions, anomalies, events } = rig.database.collections;
    const all = [twins, readings, positions, anomalies, events].map((one) => one.find({}).sort({ _id: 1 }).toArray());
    return JSON.stringify(await Promise.all(all as Promise<unknown>[]));
  };
  const predictions = () => rig.published.filter(({ topic }) => topic === 'model-predictions');
  const events = () => rig.published.filter(({ topic }) => topic === 'car-anomalies');
  const idsOf = (records: Rig['published']) => records.map(({ headers }) => String(headers?.['id']));

  it('apply: twin, history, episode, event and position move together', async () => {
    fill(log, [at(0), at(1, 50), at(2, 50), at(3, 50), at(1, 10, 'car2')]);
    await rig.process().drain();
    expect(await twinOf()).toMatchObject({
      revision: 1,
      reported: { at: new Date(NOON + 3_000), signals: { speed: 50 } },
      status: 'ANOMALOUS',
      counters: { readings: 4, late: 0, duplicate: 0 },
      openEpisodes: { TIRE: { severity: 'MAJOR' } },
      memory: { state: [4] },
    });
    expect(await positionNow()).toMatchObject({
      next: 5,
      published: 5,
      eventSequence: 1,
      eventsPublished: 1,
      counts: { stored: 5 },
    });
    expect((await rows()).map(({ _id }) => _id.slice(-2))).toEqual(['00', '01', '02', '03', '04']);
    expect(await rig.database.collections.anomalies.find().toArray()).toMatchObject([
      { car: 'car1', status: 'OPEN', timeline: [{ event: 'OPENED', sequence: 1 }] },
    ]);
    expect(predictions()).toHaveLength(5);
    expect(events()).toHaveLength(1);
  });

  it('redelivery: the same positions again change nothing', async () => {
    fill(log, [at(0), at(1), at(2)]);
    const process = rig.process();
    await process.drain();
    const before = await snapshot();
    process.generation += 1;
    await process.drain();
    expect(await snapshot()).toBe(before);
  });

  it('taking over: a new owner counts the epoch up, starts with an empty cache and goes on at next', async () => {
    fill(log, [at(0), at(1)]);
    await rig.process().drain();
    fill(log, [at(2)]);
    await rig.process().drain(0);
    expect(await positionNow()).toMatchObject({ epoch: 2, next: 3, counts: { stored: 3, duplicate: 0 } });
    expect((await twinOf())?.counters.readings).toBe(3);
  });

  it('taking over: waits out the open transaction of a stopped holder', async () => {
    fill(log, [at(0)]);
    await rig.process().drain();
    const session = rig.database.client.startSession();
    session.startTransaction();
    await rig.database.collections.positions.updateOne({ _id: `${TOPIC}/00000` }, { $set: { next: 99 } }, { session });
    const taken = takeOver(rig.database, TOPIC, 0, { holder: 'test', now: new Date(NOON) });
    const ended = new Promise<void>((resolve) => {
      setImmediate(() => void session.abortTransaction().then(resolve));
    });
    await ended;
    expect((await taken).next).toBe(1);
    await session.endSession();
  });

  it('taking over: takes nothing when the partition goes to somebody else on the way', async () => {
    fill(log, [at(0)]);
    await rig.process().drain();
    const session = rig.database.client.startSession();
    session.startTransaction();
    await rig.database.collections.positions.updateOne({ _id: `${TOPIC}/00000` }, { $set: { next: 99 } }, { session });
    const lost = new AbortController();
    const taker = { holder: 'late', now: new Date(NOON), signal: lost.signal };
    const taken = expect(takeOver(rig.database, TOPIC, 0, taker)).rejects.toThrow('gone elsewhere');
    lost.abort(new Error('gone elsewhere'));
    await session.abortTransaction();
    await taken;
    await session.endSession();
    expect(await positionNow()).toMatchObject({ epoch: 1, next: 1 });
  });

  it('taking over: ends the transaction that a killed holder left open, without waiting', async () => {
    const killed = rig.database.client.startSession();
    const held = await takeOver(rig.database, TOPIC, 0, { holder: 'killed', session: killed, now: new Date(NOON) });
    killed.startTransaction();
    const filter = { _id: held._id };
    await rig.database.collections.positions.updateOne(filter, { $set: { next: 99 } }, { session: killed });
    const taken = await takeOver(rig.database, TOPIC, 0, { holder: 'next', now: new Date(NOON) });
    expect(taken).toMatchObject({ epoch: 2, next: 0 });
    await expect(killed.commitTransaction()).rejects.toThrow();
    await killed.endSession();
  }, 9_000);

  it('late waker: an owner that lost its partition in the middle of a batch changes nothing', async () => {
    fill(log, [at(0)]);
    const { opened, open } = gate();
    const reached = gate();
    let block = false;
    const scorer: typeof speedScorer = {
      model: 'test@1',
      score: async (batch) => {
        if (block) {
          reached.open();
          await opened;
        }
        return speedScorer.score(batch);
      },
    };
    const sleeper = rig.process({ scorers: onlyScorer(scorer), holder: 'sleeper' });
    await sleeper.drain();
    block = true;
    fill(log, [at(1), at(2, 50), at(3, 50), at(4, 50)]);
    const asleep = sleeper.step(1);
    await reached.opened;
    const owner = rig.process({ holder: 'owner' });
    await owner.drain(1);
    const before = await snapshot();
    open();
    sleeper.stop();
    await asleep;
    expect(await snapshot()).toBe(before);
    expect((await positionNow())?.holder).toBe('owner');
  });

  it('no match, but applied: a commit whose answer was lost is recognised', async () => {
    const position = await takeOver(rig.database, TOPIC, 0, { holder: 'test', now: new Date(NOON) });
    const write: BatchWrite = {
      before: position,
      next: 7,
      last: { timestamp: NOON, hash: 'x' },
      eventSequence: 0,
      counted: { stored: 7 },
      readings: [],
      twins: [],
      episodes: [],
      events: [],
    };
    // The server commits, and the answer is lost on the way.
    const { client } = rig.database;
    const deaf = new Proxy(client, {
      get: (target, name) =>
        name === 'startSession' ? () => losingAnswers(target.startSession()) : bound(target, name),
    });
    const pending = new PendingCommit({ ...rig.database, client: deaf }, write);
    expect((await pending.attempt()).kind).toBe('committed');
    expect(await positionNow()).toMatchObject({ next: 7, counts: { stored: 7 } });
    // Another write that ends at the same offset is not taken for it.
    expect((await new PendingCommit(rig.database, write).attempt()).kind).toBe('fenced');
    expect((await new PendingCommit(rig.database, { ...write, next: 9 }).attempt()).kind).toBe('fenced');
  });

  it('no match, epoch mine: drops the cache and reads again from where the position is', async () => {
    fill(log, [at(0), at(1), at(2)]);
    const process = rig.process();
    expect(await process.step(0, 1)).toBe(1);
    await rig.database.collections.positions.updateOne({ _id: `${TOPIC}/00000` }, { $set: { next: 2 } });
    expect(await process.step(1, 2)).toBe(2);
    await process.drain(2);
    expect(await positionNow()).toMatchObject({ epoch: 1, next: 3 });
    expect(await rows()).toHaveLength(2);
  });

  it('revision: a car that another partition wrote is read again and nothing is lost', async () => {
    const other = new TestLog();
    const elsewhere = rig.database;
    fill(log, [at(0)]);
    const one = rig.process();
    await one.drain();
    // The same car through another partition, as after its number was raised.
    fill(other, [at(1), at(0)]);
    const second = await secondPartition(other, elsewhere);
    await second.drain();
    fill(log, [at(2), at(1)]);
    await one.drain(1);
    expect(await twinOf()).toMatchObject({
      reported: { at: new Date(NOON + 2_000) },
      counters: { readings: 3, duplicate: 2 },
    });
    expect(await rows()).toHaveLength(3);
  });

  async function secondPartition(other: TestLog, database: Rig['database']) {
    const { TestProcess } = await import('../ingest-rig.js');
    const { PartitionWriter } = await import('../../src/pipeline/partition-writer.js');
    const { workshop } = rig.process();
    const moved = {
      ...workshop,
      stages: { ...workshop.stages, database },
      logBounds: () => Promise.resolve(other.bounds()),
    };
    return new TestProcess(moved, new PartitionWriter(TOPIC, 1, moved), other);
  }

  it.each(STEPS.filter((step) => step !== 'batch'))(
    'publishing again: a crash after %s loses and repeats nothing',
    async (step: Step) => {
      fill(log, [at(0), at(1, 50), at(2, 50), at(3, 50), at(4)]);
      log.records.push(aRecord(5, at(5), { value: Buffer.from('ERROR') }));
      const doomed = rig.process({
        onStep: (reached) => {
          if (reached !== step) return;
          doomed.stop();
          throw new Error('crash');
        },
      });
      await doomed.drain();
      await rig.process().drain();
      expect(await rows()).toHaveLength(5);
      expect(await twinOf()).toMatchObject({
        counters: { readings: 5, duplicate: 0, rejected: 1 },
        memory: { state: [5] },
      });
      expect(await rig.database.collections.anomalies.countDocuments()).toBe(1);
      expect(new Set(idsOf(predictions())).size).toBe(5);
      expect(new Set(idsOf(events())).size).toBe(1);
      expect(new Set(rig.letters.map(({ original }) => original.offset))).toEqual(new Set([5]));
      expect(await positionNow()).toMatchObject({
        next: 6,
        published: 6,
        eventsPublished: 1,
        counts: { stored: 5, rejected: 1 },
      });
    },
  );

  it('a topic made anew: starts at its beginning, and what was there before counts as duplicates', async () => {
    fill(log, [at(0), at(1), at(2)]);
    await rig.process().drain();
    log.records = [];
    fill(log, [at(0), at(1), at(2), at(3)]);
    log.records = log.records.map((record) => Object.assign({}, record, { timestamp: record.timestamp + 1 }));
    await rig.process().drain(3);
    expect(await positionNow()).toMatchObject({
      incarnation: 2,
      next: 4,
      counts: { stored: 4, duplicate: 3, lost: 0 },
    });
    expect((await rows()).map(({ _id }) => _id.split('/')[1])).toEqual(['0001', '0001', '0001', '0002']);
  });

  it('a topic made anew and shorter than before is recognised too, also without a new owner', async () => {
    fill(log, [at(0), at(1), at(2)]);
    const process = rig.process();
    await process.drain();
    log.records = [];
    fill(log, [at(7)]);
    await process.drain(0);
    expect(await positionNow()).toMatchObject({ incarnation: 2, next: 1, counts: { stored: 4 } });
  });

  it('a log that begins beyond next: what is missing is counted as lost, loudly', async () => {
    fill(log, [at(0), at(1)]);
    await rig.process().drain();
    fill(log, [at(2), at(3), at(4)]);
    log.low = 4;
    await rig.process().drain(2);
    expect(await positionNow()).toMatchObject({ next: 5, counts: { stored: 3, lost: 2 } });
    expect(rig.lines.some((line) => line.startsWith('error LOST'))).toBe(true);
  });

  it('gaps in the log are no loss', async () => {
    fill(log, [at(0), at(1), at(2), at(3)]);
    log.records.splice(1, 2);
    await rig.process().drain(0, 1);
    expect(await positionNow()).toMatchObject({ next: 4, counts: { stored: 2, lost: 0 } });
  });

  it('poison: a batch that fails for a lasting reason is halved down to the one record', async () => {
    fill(log, [at(0), at(1), at(2, 666), at(3), at(4)]);
    await rig.process().drain();
    expect(await rows()).toHaveLength(4);
    expect(rig.letters).toMatchObject([{ stage: 'score', reason: 'UNPROCESSABLE', original: { offset: 2 } }]);
    expect(await positionNow()).toMatchObject({ next: 5, counts: { stored: 4, rejected: 1 } });
  });

  it('poison: a document that the store refuses is dead-lettered with stage store', async () => {
    const huge = 'x'.repeat(17_000_000);
    const scorer: typeof speedScorer = {
      model: 'test@1',
      score: async (batch) =>
        (await speedScorer.score(batch)).map((scored, index) =>
          batch[index]?.reading.signals.speed === 7 && scored.kind === 'scored'
            ? { ...scored, score: { ...scored.score, model: huge } }
            : scored,
        ),
    };
    fill(log, [at(0), at(1, 7), at(2)]);
    await rig.process({ scorers: onlyScorer(scorer) }).drain();
    expect(rig.letters).toMatchObject([{ stage: 'store', reason: 'STORE_REFUSED_DOCUMENT', original: { offset: 1 } }]);
    expect(await rows()).toHaveLength(2);
  });

  it('writers between batches: the timed downgrade runs in the queue, next unchanged, and is published', async () => {
    fill(log, [at(0, 50), at(1, 50), at(2, 50)]);
    let now = NOON;
    const process = rig.process({ clock: () => now });
    await process.drain();
    now = NOON + 120_000;
    const downgraded = await process.writer.between((held) =>
      downgradeEpisodes(held, process.workshop, process.signal),
    );
    expect(downgraded).toBe(1);
    expect(await twinOf()).toMatchObject({ openEpisodes: { TIRE: { severity: 'MINOR' } } });
    expect(await rig.database.collections.anomalies.findOne()).toMatchObject({
      severity: 'MINOR',
      timeline: [{ event: 'OPENED' }, { event: 'DOWNGRADED', sequence: 2 }],
    });
    expect(await positionNow()).toMatchObject({ next: 3, eventSequence: 2, eventsPublished: 2 });
    fill(log, [at(3, 50)]);
    await process.drain(3);
    expect((await twinOf())?.counters.readings).toBe(4);
  });

  it('writers between batches: a process that lost the partition writes nothing and takes nothing over', async () => {
    fill(log, [at(0, 50), at(1, 50), at(2, 50)]);
    const sleeper = rig.process({ clock: () => NOON + 120_000 });
    await sleeper.drain();
    await rig.process({ holder: 'owner' }).drain(3);
    fill(log, [at(3)]);
    await rig.process({ holder: 'owner' }).drain(3);
    const before = await snapshot();
    await expect(
      sleeper.writer.between((held) => downgradeEpisodes(held, sleeper.workshop, sleeper.signal)),
    ).rejects.toThrow('fenced');
    expect(await sleeper.writer.between(() => Promise.resolve('ran'))).toBeNull();
    expect(await snapshot()).toBe(before);
  });

  it('erase: leaves a tombstone, and older readings that are replayed are counted only', async () => {
    fill(log, [at(0, 50), at(1, 50), at(2, 50), at(0, 10, 'car2')]);
    const process = rig.process();
    await process.drain();
    await process.writer.between((held) =>
      eraseCar(held, 'car1', new Date(NOON + 5_000), process.workshop, process.signal),
    );
    fill(log, [at(1), at(6), at(1, 10, 'car2')]);
    await process.drain(4);
    expect((await rows()).map(({ car }) => car)).toEqual(['car2', 'car1', 'car2']);
    expect(await twinOf()).toMatchObject({ firstSeenAt: new Date(NOON + 6_000), counters: { readings: 1 } });
    expect(await rig.database.collections.anomalies.countDocuments()).toBe(0);
    expect(await positionNow()).toMatchObject({ counts: { erased: 1 } });
  });

  it('promise 3 on the real store: any order, repetition and cut gives the same twins and history', async () => {
    const reading = fc
      .record({
        car: fc.constantFrom('a', 'b'),
        second: fc.integer({ min: 0, max: 6 }),
        speed: fc.integer({ min: 38, max: 42 }),
      })
      .map(({ car, second, speed }) => at(second, speed, car));
    const set = fc.array(reading, { minLength: 1, maxLength: 12 });
    const disordered = set.chain((all) =>
      fc.tuple(
        fc.constant(all),
        fc.shuffledSubarray([...all, ...all], { minLength: all.length * 2 }),
        fc.integer({ min: 1, max: 7 }),
      ),
    );
    await fc.assert(
      fc.asyncProperty(disordered, async ([ordered, shuffled, size]) => {
        expect(await promised(shuffled, size)).toEqual(await promised(ordered, 100));
      }),
      { numRuns: 12 },
    );
  });

  async function promised(readings: readonly Reading[], size: number) {
    const own = new TestLog();
    const world = await ingestRig(running.uri, own);
    try {
      fill(own, readings);
      await world.process().drain(0, size);
      const twins = await world.database.collections.twins.find().sort({ _id: 1 }).toArray();
      const history = await world.database.collections.readings.find().toArray();
      return {
        twins: twins.map(({ _id, firstSeenAt, lastSeenAt, reported: { at: time, signals } }) => ({
          _id,
          firstSeenAt,
          lastSeenAt,
          time,
          signals,
        })),
        rows: history.map(({ car, at: time, hash }) => `${car}/${time.toISOString()}/${hash}`).sort(),
      };
    } finally {
      await world.close();
    }
  }
});
