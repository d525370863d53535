import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NOON, aReading, aRecord, aScore } from '../../test/builders/sensor.js';
import type { Reading } from '../telemetry/reading.js';
import { KnownReadings, sentAt } from '../twin/arrival.js';
import type { PositionDocument, ReadingDocument, Twin } from '../twin/documents.js';
import type { EpisodeRules } from '../twin/episodes.js';
import type { CarState } from '../twin/twin-reads.js';
import { classifyBatch, wantedOf } from './classify-batch.js';
import { foldBatch, type Judged } from './fold-batch.js';

const RULES: EpisodeRules = {
  window: 5,
  open: 3,
  clear: 3,
  hysteresis: 0.9,
  major: 2,
  critical: 5,
  downgradeAfter: 60_000,
};
const START: PositionDocument = {
  _id: 'sensor-data/00000',
  epoch: 1,
  next: 0,
  published: 0,
  eventSequence: 0,
  eventsPublished: 0,
  incarnation: 1,
  clusterId: 'c',
  last: null,
  counts: { stored: 0, late: 0, duplicate: 0, expired: 0, erased: 0, rejected: 0, lost: 0 },
  holder: 'test',
  updatedAt: new Date(NOON),
};

interface World {
  twins: Map<string, Twin>;
  rows: ReadingDocument[];
  position: PositionDocument;
  counts: Record<string, number>;
}

/** Folds batches onto an empty world as the store would, each from what the former left. */
function foldAll(
  batches: readonly (readonly Reading[])[],
  limits: Partial<{ expiredBefore: number; erasedUpTo: number }> = {},
): World {
  const world: World = { twins: new Map(), rows: [], position: START, counts: {} };
  for (const batch of batches) foldOne(world, batch, limits);
  return world;
}

function foldOne(
  world: World,
  batch: readonly Reading[],
  limits: Partial<{ expiredBefore: number; erasedUpTo: number }>,
): void {
  const cars = new Map<string, CarState>(
    batch.map(({ car }) => [
      car,
      {
        twin: world.twins.get(car) ?? null,
        erasedUpTo: limits.erasedUpTo ?? null,
        erasedRevision: 0,
        attributes: null,
      },
    ]),
  );
  const arrivals = classifyBatch(batch, cars, knownAmong(world.rows, batch, cars), limits.expiredBefore ?? null);
  const judged = arrivals.map((arrival, index): Judged => {
    const ratio = (arrival.reading.signals.speed ?? 0) > 40 ? 3 : 0.1;
    const scored = { kind: 'scored' as const, score: aScore(ratio), memory: null };
    const record = aRecord(world.position.next + index, arrival.reading);
    return { record, outcome: { kind: 'reading', ...arrival, scored, shadows: [] } };
  });
  const context = {
    topic: 'sensor-data',
    partition: 0,
    before: world.position,
    cars,
    rules: RULES,
    modelRevision: 0,
    now: new Date(NOON),
  };
  const write = foldBatch(judged, context);
  for (const { from, twin } of write.twins) {
    expect(world.twins.get(twin._id)?.revision ?? null).toBe(from);
    world.twins.set(twin._id, twin);
  }
  world.rows.push(...write.readings);
  world.position = { ...world.position, next: write.next, eventSequence: write.eventSequence };
  for (const [name, count] of Object.entries(write.counted)) world.counts[name] = (world.counts[name] ?? 0) + count;
}

/** What the store would answer: only the rows that were asked for. */
function knownAmong(
  rows: readonly ReadingDocument[],
  batch: readonly Reading[],
  cars: ReadonlyMap<string, CarState>,
): KnownReadings {
  const wanted = wantedOf(batch, cars);
  const plain = new Set(wanted.byTime.map((one) => `${one.car}/${sentAt(one)}`));
  const skewed = new Set(wanted.bySkewedTime.map((one) => `${one.car}/${sentAt(one)}`));
  const known = new KnownReadings();
  for (const { car, at, skewedAt, hash } of rows) {
    if (plain.has(`${car}/${at.getTime()}`)) known.add(car, (skewedAt ?? at).getTime(), hash);
    if (skewedAt && skewed.has(`${car}/${skewedAt.getTime()}`)) known.add(car, skewedAt.getTime(), hash);
  }
  return known;
}

const readings = fc.array(
  fc
    .record({
      car: fc.constantFrom('a', 'b', 'c'),
      second: fc.integer({ min: 0, max: 8 }),
      speed: fc.integer({ min: 38, max: 43 }),
    })
    .map(({ car, second, speed }) => aReading({ car, at: NOON + second * 1_000, signals: { speed } })),
  { minLength: 1, maxLength: 30 },
);

/** Any order, any repetition, any cut into batches. */
const disordered = readings.chain((set) =>
  fc
    .tuple(
      fc.shuffledSubarray([...set, ...set, ...set], { minLength: set.length * 3 }),
      fc.array(fc.integer({ min: 1, max: 9 })),
    )
    .map(([shuffled, sizes]) => ({ set, batches: cut(shuffled, sizes) })),
);

function cut(all: readonly Reading[], sizes: readonly number[]): Reading[][] {
  const batches: Reading[][] = [];
  let start = 0;
  for (const size of [...sizes, all.length]) {
    const batch = all.slice(start, start + size);
    if (batch.length > 0) batches.push(batch);
    start += size;
  }
  return batches;
}

/** The fields that promise 3 names. */
function promised({ twins, rows }: World) {
  const state = [...twins.values()]
    .map(({ _id, reported: { at, hash, signals }, firstSeenAt, lastSeenAt, counters }) => ({
      _id,
      reported: { at, hash, signals },
      firstSeenAt,
      lastSeenAt,
      readings: counters.readings,
    }))
    .sort((one, other) => one._id.localeCompare(other._id));
  return { state, rows: rows.map(({ car, at, hash }) => `${car}/${at.toISOString()}/${hash}`).sort() };
}

describe('promise 3: event time decides', () => {
  it('any order, repetition and batching of the same readings gives the same twins and history', () => {
    fc.assert(
      fc.property(disordered, ({ set, batches }) => {
        expect(promised(foldAll(batches))).toEqual(promised(foldAll([set])));
      }),
      { numRuns: 300 },
    );
  });

  it('every record ends in exactly one count', () => {
    fc.assert(
      fc.property(disordered, ({ batches }) => {
        const { counts, position, rows } = foldAll(batches);
        expect((counts['stored'] ?? 0) + (counts['duplicate'] ?? 0)).toBe(position.next);
        expect(rows).toHaveLength(counts['stored'] ?? 0);
        expect(new Set(rows.map(({ _id }) => _id)).size).toBe(rows.length);
      }),
    );
  });
});

describe('duplicates, late readings and clocks', () => {
  const at = (second: number, speed = 10) => aReading({ at: NOON + second * 1_000, signals: { speed } });

  it('duplicate: the same car, time and signals again is counted and not stored', () => {
    const { twins, rows } = foldAll([
      [at(0), at(1)],
      [at(0), at(1)],
    ]);
    expect(rows).toHaveLength(2);
    expect(twins.get('car1')?.counters).toMatchObject({ readings: 2, duplicate: 2, late: 0 });
  });

  it('late: stored, counted and scored, but not applied to what is reported', () => {
    const { twins, rows } = foldAll([[at(5)], [at(1)]]);
    expect(rows.map(({ late }) => late)).toEqual([undefined, true]);
    expect(rows[1]?.score).toBeDefined();
    expect(twins.get('car1')).toMatchObject({
      reported: { at: new Date(NOON + 5_000) },
      firstSeenAt: new Date(NOON + 1_000),
      counters: { readings: 2, late: 1 },
    });
  });

  it('late and duplicate readings open and extend no episode', () => {
    const anomalous = [1, 2, 3].map((second) => at(second, 50));
    const { twins } = foldAll([[at(9)], anomalous, anomalous]);
    expect(twins.get('car1')).toMatchObject({ status: 'NORMAL', openEpisodes: {} });
  });

  it('two different readings of one instant are ordered by the hash of their signals', () => {
    const [one, other] = [at(1, 10), at(1, 11)];
    expect(promised(foldAll([[one, other]]))).toEqual(promised(foldAll([[other], [one]])));
  });

  it('clock skew: a message that was sent twice is found by the time that it carried', () => {
    const ahead = NOON + 3_600_000;
    const first = aReading({ at: NOON, skewedAt: ahead });
    const again = aReading({ at: NOON + 60_000, skewedAt: ahead });
    const caughtUp = aReading({ at: ahead, skewedAt: null });
    const { twins, rows } = foldAll([[first], [again], [caughtUp]]);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ at: new Date(NOON), skewedAt: new Date(ahead) });
    expect(twins.get('car1')?.counters).toMatchObject({ readings: 1, duplicate: 2 });
  });

  it('expired: older than the retention is counted only', () => {
    const { rows, counts } = foldAll([[at(0), at(10)]], { expiredBefore: NOON + 5_000 });
    expect(rows).toHaveLength(1);
    expect(counts).toEqual({ stored: 1, expired: 1 });
  });

  it('erased: at or before the tombstone is counted only', () => {
    const { rows, counts } = foldAll([[at(5), at(6)]], { erasedUpTo: NOON + 5_000 });
    expect(rows).toHaveLength(1);
    expect(counts).toEqual({ stored: 1, erased: 1 });
  });
});
