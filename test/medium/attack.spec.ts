import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Reading } from '../../src/telemetry/reading.js';
import { openDatabase, type Database } from '../../src/twin/database.js';
import { NOON, aReading, aRecord } from '../builders/sensor.js';
import { TOPIC, TestLog, ingestRig, type Rig } from '../ingest-rig.js';

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
  ].sort();

/** A way to the database that breaks down right behind a commit: the server has it, the client gets no answer. */
class BreakingWay {
  armed = false;
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

  mend(): void {
    this.#down = false;
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
      if (!this.armed || !bytes.includes('commitTransaction')) return;
      this.armed = false;
      this.#down = true;
      far.removeAllListeners('data');
      setTimeout(() => {
        for (const socket of this.#sockets) socket.destroy();
      }, 500);
    });
    far.on('data', (bytes) => near.write(bytes));
  }
}

describe('a commit whose answer is lost because MongoDB goes away, and the batch that is done again', () => {
  let way: BreakingWay;
  let frail: Database;
  beforeEach(async () => {
    way = new BreakingWay();
    frail = openDatabase(await way.open(new URL(uri())), rig.database.db.databaseName, 'frail');
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
    way.armed = true;
    setTimeout(() => way.mend(), 8_000);
    await one.drain(1);
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
    way.armed = true;
    setTimeout(() => one.stop(), 3_000);
    await one.drain(1);
    await rig.process().drain(1);
    expect((await twinOf())?.counters).toMatchObject({ readings: 3, duplicate: 0 });
    expect(await positionNow()).toMatchObject({ epoch: 2, next: 3, published: 3, counts: { stored: 3 } });
    expect(publishedOffsets()).toEqual([0, 1, 2]);
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
});
