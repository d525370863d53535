import { randomUUID } from 'node:crypto';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { MongoServerError } from 'mongodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDecoder } from '../../src/decode/decode.js';
import { DeadLetters } from '../../src/kafka/dead-letters.js';
import { Producer } from '../../src/kafka/producer.js';
import type { SourceRecord } from '../../src/kafka/record-batch.js';
import { ensureTopics, topicsOf } from '../../src/kafka/topics.js';
import { eraseCar } from '../../src/pipeline/between-batches.js';
import { Ingest } from '../../src/pipeline/ingest.js';
import { PartitionWriter } from '../../src/pipeline/partition-writer.js';
import type { Reading } from '../../src/telemetry/reading.js';
import { PendingCommit } from '../../src/twin/commit-batch.js';
import { openDatabase, type Database } from '../../src/twin/database.js';
import type { ReadingDocument } from '../../src/twin/documents.js';
import { NOON, aReading, aRecord } from '../builders/sensor.js';
import { TOPIC, TestLog, TestProcess, ingestRig, type Rig } from '../ingest-rig.js';

const at = (second: number, speed = 10, car = 'car1') =>
  aReading({ car, at: NOON + second * 1_000, signals: { speed } });
const fill = (log: TestLog, readings: readonly Reading[]) => {
  for (const reading of readings) log.records.push(aRecord(log.high, reading));
};
const uri = () => process.env['MONGODB_URI'] as string;

let log: TestLog;
let rig: Rig;
beforeEach(async () => {
  log = new TestLog();
  rig = await ingestRig(uri(), log);
});
afterEach(() => rig.close());

const twinOf = (car = 'car1') => rig.database.collections.twins.findOne({ _id: car });
const positionNow = () => rig.database.collections.positions.findOne({ _id: `${TOPIC}/00000` });
const rows = () => rig.database.collections.readings.find().sort({ _id: 1 }).toArray();
const publishedOffsets = () =>
  [
    ...new Set(
      rig.published
        .filter(({ topic }) => topic === 'model-predictions')
        .map(({ headers }) => Number(String(headers?.['id']).split('/')[3])),
    ),
  ].sort((one, other) => one - other);

const TRIED_AGAIN = 'warn waiting for a service that is away';
/** ms from the commit until its connection ends. */
const ANSWER_LOST = 500;
/** ms that an operation looks for a server before it fails. */
const LOOK_FOR = 1_000;
/** ms: the batch fails and is tried again while the server is away, once or several times. */
const [AWAY, LONG_AWAY] = [ANSWER_LOST + 1.3 * LOOK_FOR, ANSWER_LOST + 2.5 * LOOK_FOR];

/** A way to the database that breaks down right behind a commit: the server has it, the client gets no answer. */
class BreakingWay {
  #armed: { readonly after: number; readonly wish: () => void } | null = null;
  #down = false;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((near) => this.#join(near));

  async open(target: URL): Promise<string> {
    this.target = target;
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const { port } = this.#server.address() as AddressInfo;
    return `mongodb://127.0.0.1:${port}/?directConnection=true`;
  }
  target!: URL;

  /** @param after ms from when it breaks until `wish` is done; without one the way is mended */
  breakAtCommit(after: number, wish: () => void = () => (this.#down = false)): void {
    this.#armed = { after, wish };
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  #join(near: Socket): void {
    if (this.#down) return void near.resetAndDestroy();
    const far = connect(Number(this.target.port || 27_017), this.target.hostname);
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        near.destroy();
        far.destroy();
      });
    }
    near.on('data', (bytes) => {
      far.write(bytes);
      if (this.#armed === null || !bytes.includes('commitTransaction')) return;
      setTimeout(this.#armed.wish, this.#armed.after);
      this.#armed = null;
      this.#down = true;
      far.removeAllListeners('data');
      setTimeout(() => {
        for (const socket of this.#sockets) socket.destroy();
      }, ANSWER_LOST);
    });
    far.on('data', (bytes) => near.write(bytes));
  }
}

describe('a commit whose answer is lost because MongoDB goes away, and the batch that is done again', () => {
  let way: BreakingWay;
  let frail: Database;
  beforeEach(async () => {
    way = new BreakingWay();
    frail = openDatabase(await way.open(new URL(uri())), rig.database.db.databaseName, 'frail', LOOK_FOR);
  });
  afterEach(async () => {
    await frail.client.close();
    way.close();
  });

  it('readings in order are counted and published once', async () => {
    fill(log, [at(0)]);
    const one = rig.process({ database: frail });
    await one.drain();
    fill(log, [at(1, 50), at(2, 50), at(3, 50)]);
    way.breakAtCommit(AWAY);
    await one.drain(1);
    expect(rig.lines).toContain(TRIED_AGAIN);
    expect(await rows()).toHaveLength(4);
    expect((await twinOf())?.counters).toMatchObject({ readings: 4, late: 0, duplicate: 0 });
    expect(await positionNow()).toMatchObject({ epoch: 1, next: 4, published: 4, eventsPublished: 1 });
    expect(publishedOffsets()).toEqual([0, 1, 2, 3]);
  });

  it('a process that is told to stop does not wait for MongoDB, and the next one goes on behind the commit', async () => {
    fill(log, [at(0)]);
    const one = rig.process({ database: frail });
    await one.drain();
    fill(log, [at(1), at(2)]);
    way.breakAtCommit(ANSWER_LOST + LOOK_FOR / 2, () => one.stop());
    await one.drain(1);
    await rig.process().drain(1);
    expect((await twinOf())?.counters).toMatchObject({ readings: 3, duplicate: 0 });
    expect(await positionNow()).toMatchObject({ epoch: 2, next: 3, published: 3, counts: { stored: 3 } });
    expect(publishedOffsets()).toEqual([0, 1, 2]);
  });

  it('a late reading is counted once and its prediction is published', async () => {
    fill(log, [at(4)]);
    const one = rig.process({ database: frail });
    await one.drain();
    fill(log, [at(5), at(3)]);
    way.breakAtCommit(LONG_AWAY);
    await one.drain(1);
    expect(rig.lines).toContain(TRIED_AGAIN);
    fill(log, [at(6)]);
    await one.drain(3);
    expect.soft(await rows()).toHaveLength(4);
    expect.soft((await positionNow())?.published).toBe(4);
    expect.soft(publishedOffsets()).toEqual([0, 1, 2, 3]);
    expect.soft((await twinOf())?.counters).toMatchObject({ readings: 4, late: 1, duplicate: 0 });
  });

  it('a twin does not go backwards', async () => {
    const skewed = (second: number, sent: number) => ({ ...at(second), skewedAt: NOON + sent * 1_000 });
    const sent = [skewed(0, 1_000), skewed(10, 900), at(5)];
    fill(log, sent.slice(0, 1));
    const decode = (records: readonly SourceRecord[]) =>
      Promise.resolve(
        records.map((record) => ({
          record,
          decoded: { kind: 'reading', reading: sent[record.offset] as Reading } as const,
        })),
      );
    const one = rig.process({ database: frail, decode });
    await one.drain();
    fill(log, sent.slice(1, 2));
    way.breakAtCommit(LONG_AWAY);
    await one.drain(1);
    expect(rig.lines).toContain(TRIED_AGAIN);
    expect.soft((await twinOf())?.reported.at).toEqual(new Date(NOON + 10_000));
    fill(log, sent.slice(2));
    await one.drain(2);
    expect.soft((await twinOf())?.reported.at).toEqual(new Date(NOON + 10_000));
    expect.soft(publishedOffsets()).toEqual([0, 1, 2]);
  });
});

describe('between batches', () => {
  it('published does not move over rows that a commit of its own left unpublished', async () => {
    fill(log, [at(0)]);
    const one = rig.process();
    await one.drain();
    fill(log, [at(1), at(2)]);
    // A commit of this very writer that it does not know of (its answer was lost, and the batch came out otherwise).
    const before = await positionNow();
    if (!before) throw new Error('no position');
    const row = { ...(await rows())[0], _id: `${TOPIC}/0001/00000/0000000000000001`, at: new Date(NOON + 1_000) };
    const unknown = new PendingCommit(rig.database, {
      before,
      next: 2,
      last: { timestamp: NOON, hash: 'x' },
      eventSequence: 0,
      counted: { stored: 1 },
      readings: [row as never],
      twins: [],
      episodes: [],
      events: [],
    });
    await unknown.attempt();
    expect(await one.step(1)).toBe(2);
    await one.writer.between((held) => eraseCar(held, 'another', new Date(NOON), one.workshop, one.signal));
    await one.drain(2);
    expect.soft((await positionNow())?.published).toBe(3);
    expect.soft(publishedOffsets()).toEqual([0, 1, 2]);
  });

  it('erase: a car that went on sending until the writer came to it is forgotten up to its newest reading', async () => {
    fill(log, [at(0), at(1), at(10), at(11)]);
    const one = rig.process();
    await one.drain();
    // Asked for at second 5; the car went on sending until the writer came to it.
    await one.writer.between((held) => eraseCar(held, 'car1', new Date(NOON + 5_000), one.workshop, one.signal));
    fill(log, [at(10), at(11)]);
    await one.drain(4);
    const kept = (await rows()).map(({ at: time }) => (time.getTime() - NOON) / 1_000);
    // All that the twin spoke of is gone with it, and stays so.
    expect.soft(kept).toEqual([]);
    expect.soft((await positionNow())?.counts.erased).toBe(2);
  });

  it('erase: a car of a partition without traffic is forgotten too, after a restart', async () => {
    fill(log, [at(0)]);
    await rig.process().drain();
    const { erasures } = rig.database.collections;
    await erasures.insertOne({ _id: 'car1', upTo: new Date(NOON + 5_000), requestedAt: new Date(), doneAt: null });
    const ingest = new Ingest(rig.process().workshop, () => Promise.resolve(0));
    ingest.assigned(TOPIC, [0]);
    for (let round = 0; round < 3; round += 1) await ingest.betweenBatches();
    await ingest.stop();
    expect((await erasures.findOne({ _id: 'car1' }))?.doneAt).not.toBeNull();
  });

  it('downgrade: an episode in a partition without traffic is downgraded too, after a restart', async () => {
    fill(log, [at(0, 50), at(1, 50), at(2, 50)]);
    await rig.process().drain();
    const ingest = new Ingest(rig.process({ clock: () => NOON + 120_000 }).workshop, () => Promise.resolve(0));
    ingest.assigned(TOPIC, [0]);
    await ingest.betweenBatches();
    await ingest.stop();
    expect((await twinOf())?.openEpisodes.TIRE?.severity).toBe('MINOR');
  });

  it('revision: a writer that remembers a car from before its erase does not bring it back', async () => {
    const other = new TestLog();
    const one = rig.process();
    fill(log, [at(0), at(1)]);
    await one.drain(0, 1);
    const { workshop } = rig.process();
    const moved = { ...workshop, logBounds: () => Promise.resolve(other.bounds()) };
    const two = new TestProcess(moved, new PartitionWriter(TOPIC, 1, moved), other);
    fill(other, [at(0, 1, 'car2')]);
    await two.drain();
    await two.writer.between((held) => eraseCar(held, 'car1', new Date(NOON + 5_000), moved, two.signal));
    fill(other, [at(20)]);
    fill(other, [at(21)]);
    await two.drain(1, 1);
    expect.soft((await twinOf())?.revision).toBe(4);
    fill(log, [at(3)]);
    await one.drain(2);
    expect.soft((await twinOf())?.reported.at).toEqual(new Date(NOON + 21_000));
    expect
      .soft((await rows()).every(({ car, at: time }) => car !== 'car1' || time.getTime() > NOON + 5_000))
      .toBe(true);
  });
});

describe('the log', () => {
  it('what Kafka believes to be done but the position does not is read, also before anything was applied', async () => {
    fill(log, [at(0), at(1), at(2), at(3)]);
    await rig.process().drain(3);
    fill(log, [at(4), at(5), at(6)]);
    await rig.process().drain(6);
    expect(await positionNow()).toMatchObject({ next: 7, counts: { stored: 7, lost: 0 } });
  });

  it('retention that passes the record that is being read back costs and repeats nothing that is still there', async () => {
    fill(log, [at(0), at(1)]);
    await rig.process().drain();
    fill(log, [at(2), at(3), at(4)]);
    const one = rig.process();
    expect(await one.step(3)).toBe(1);
    log.low = 3;
    await one.drain(1);
    expect(await positionNow()).toMatchObject({ next: 5, incarnation: 1, counts: { stored: 4, lost: 1 } });
  });

  it('a topic made anew and longer than before is recognised without a new owner', async () => {
    fill(log, [at(0), at(1)]);
    let now = NOON;
    const one = rig.process({ clock: () => now });
    await one.drain();
    // A batch waited for long, so that Kafka's client did not see the topic away.
    now += 60_000;
    log.records = [];
    fill(log, [at(10), at(11), at(12), at(13)]);
    await one.drain(2);
    expect.soft(await rows()).toHaveLength(6);
    expect.soft((await positionNow())?.incarnation).toBe(2);
  });

  it('skewed clocks: a message that came again through a bridge whose clock is behind is a duplicate', async () => {
    const decoder = createDecoder({ format: 'auto', maxBody: 10_000, clockAhead: 300_000 });
    const one = rig.process({ decode: (records) => decoder.decode(records) });
    log.records.push(aRecord(0, at(0), { timestamp: NOON - 200_000 }));
    log.records.push(aRecord(1, at(0), { timestamp: NOON - 400_000 }));
    await one.drain(0, 1);
    expect.soft(await rows()).toHaveLength(1);
    expect.soft((await positionNow())?.counts).toMatchObject({ stored: 1, duplicate: 1 });
  });
});

describe('waiting', () => {
  it('a batch whose transaction outlasts the server limit every time is done in smaller pieces', async () => {
    const { readings } = rig.database.collections;
    const slow = new Proxy(readings, {
      get: (target, name) => {
        if (name === 'insertMany')
          return (rows: ReadingDocument[], options: object) => {
            if (rows.length === 1) return target.insertMany(rows, options);
            // As MongoDB says it of a transaction that it has ended after transactionLifetimeLimitSeconds.
            const ended = { message: 'Transaction 1 has been aborted.', code: 251, codeName: 'NoSuchTransaction' };
            const error = new MongoServerError(ended);
            error.addErrorLabel('TransientTransactionError');
            return Promise.reject(error);
          };
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const database = { ...rig.database, collections: { ...rig.database.collections, readings: slow } };
    fill(log, [at(0), at(1)]);
    const one = rig.process({ database });
    setTimeout(() => one.stop(), 60_000);
    await one.drain();
    expect((await positionNow())?.next).toBe(2);
  });

  it('a bad record is put aside once or so, not once for every try while MongoDB is away', async () => {
    let failing = 6;
    const { positions } = rig.database.collections;
    const away = new Proxy(positions, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (name === 'findOneAndUpdate' && log.low === 0 && armed && failing > 0)
          return () => Promise.reject(Object.assign(new Error('away'), { n: (failing -= 1) }));
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    let armed = false;
    const database = { ...rig.database, collections: { ...rig.database.collections, positions: away } };
    fill(log, [at(0)]);
    const one = rig.process({ database });
    await one.drain();
    armed = true;
    log.records.push(aRecord(1, at(5), { value: Buffer.from('ERROR') }));
    await one.drain(1);
    expect(rig.letters.length).toBeLessThan(3);
  });
});

describe('dead letters', () => {
  const options = () => ({
    brokers: (process.env['KAFKA_BROKERS'] as string).split(','),
    clientId: 'attack',
    log: () => undefined,
  });
  it.each(['header', 'key'])(
    'a bad record whose %s does not fit the dead-letter topic stops nobody',
    async (part) => {
      const id = randomUUID().slice(0, 8);
      const names = {
        sensor: `s-${id}`,
        predictions: `p-${id}`,
        anomalies: `a-${id}`,
        modelUpdates: `m-${id}`,
        deadLetters: `d-${id}`,
      };
      await ensureTopics(options(), topicsOf(names, { partitions: 1, replication: 1, retention: 1 }));
      const producer = new Producer(options());
      const one = rig.process({ deadLetters: new DeadLetters(producer, names.deadLetters) });
      const big = Buffer.alloc(3_000_000, 'x');
      // Kafka's limit is on compressed bytes: sensor-data takes such a record.
      const made = part === 'key' ? { key: big } : { headers: { big } };
      log.records.push(aRecord(0, at(5), { value: Buffer.from('ERROR'), ...made }));
      fill(log, [at(1)]);
      setTimeout(() => one.stop(), 15_000);
      await one.drain();
      await producer.close();
      expect((await positionNow())?.next).toBe(2);
    },
    60_000,
  );
});
