import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Ingest } from '../../src/pipeline/ingest.js';
import { HANDLING_CAP } from '../../src/twin/handle-episode.js';
import { onlyScorer, type Scorer } from '../../src/telemetry/score.js';
import type { EpisodeDocument } from '../../src/twin/documents.js';
import { type Api, startApi } from '../builders/api.js';
import { NOON, aReading, aRecord, aScore } from '../builders/sensor.js';
import { Subscriber } from '../builders/subscriber.js';
import { TOPIC, TestLog, ingestRig, type Rig } from '../ingest-rig.js';
import { databaseServers } from '../servers.js';

interface Told {
  id: string;
  event: string;
  by?: string;
  snoozedUntil?: string;
  handling?: Record<string, unknown>;
}
/** Ratio 1.5 above 40 m/s, 6 above 70, blamed on a tire. */
const scorer: Scorer = {
  model: 'test@1',
  score: (batch) =>
    Promise.resolve(
      batch.map(({ reading }) => {
        const speed = reading.signals.speed ?? 0;
        return { kind: 'scored', score: aScore(speed > 70 ? 6 : speed > 40 ? 1.5 : 0.1), memory: null };
      }),
    ),
};
const FIELDS = `id status severity handling {
  acknowledgedAt acknowledgedBy assignee snoozedUntil label timeline { event at by comment assignee snoozedUntil label }
}`;

describe.each(databaseServers())('handling of anomalies on $name', (server) => {
  let running: { uri: string; stop(): Promise<void> };
  let log: TestLog;
  let rig: Rig;
  let api: Api;
  let now = NOON;
  const subscribers: Subscriber<unknown>[] = [];

  beforeAll(async () => {
    running = await server.start();
  });
  afterAll(() => running?.stop());
  beforeEach(async () => {
    now = NOON;
    log = new TestLog();
    rig = await ingestRig(running.uri, log);
    api = await startApi({ database: rig.database.db.databaseName, uri: running.uri, clock: () => now });
    send(50, 50, 50);
    await drain();
  });
  afterEach(async () => {
    await Promise.all(subscribers.splice(0).map((one) => one.close()));
    await api.stop();
    await rig.close();
  });

  /** Readings of car1, each a second after the one before; see `scorer`. */
  const send = (...speeds: number[]) => {
    for (const speed of speeds)
      log.records.push(aRecord(log.high, aReading({ at: NOON + log.high * 1_000, signals: { speed } })));
  };
  const process = () => rig.process({ clock: () => now, scorers: onlyScorer(scorer) });
  const drain = () => process().drain();
  const started = () => {
    const ingest = new Ingest(process().workshop, () => Promise.resolve(0));
    ingest.assigned(TOPIC, [0]);
    return ingest;
  };
  const tell = async (ingest = started()) => {
    await ingest.tell();
    await ingest.stop();
  };
  const episode = async () => (await rig.database.collections.anomalies.findOne()) as EpisodeDocument;
  const waiting = () => rig.database.collections.handlings.countDocuments();
  const told = () =>
    rig.published
      .filter(({ topic }) => topic === 'car-anomalies')
      .map(({ value }) => JSON.parse(String(value)) as Told);
  const mutate = async (field: string, args: string, id?: string) => {
    const anomaly = id ?? (await episode())._id;
    return api.query<Record<string, Record<string, unknown>>>(
      `mutation { ${field}(id: ${JSON.stringify(anomaly)}, ${args}) { ${FIELDS} } }`,
    );
  };

  it('each is noted with who and when, and told to subscribers and in Kafka, in order and once', async () => {
    const cursor = (await api.query<{ liveCursor: string }>('{ liveCursor }')).data.liveCursor;
    const live = new Subscriber<Told>(
      api.url,
      `subscription { anomalies(after: "${cursor}") { ... on AnomalyEvent { id event handling { by comment } } } }`,
    );
    subscribers.push(live);
    const before = await episode();
    await mutate('acknowledgeAnomaly', 'by: "anna"');
    now += 1_000;
    await mutate('assignAnomaly', 'by: "anna", to: "ben"');
    await mutate('commentAnomaly', 'by: "ben", comment: "  a nail  "');
    const until = new Date(now + 3_600_000).toISOString();
    await mutate('snoozeAnomaly', `by: "ben", until: "${until}"`);
    const { data } = await mutate('labelAnomaly', 'by: "ben", label: TRUE');
    const at = new Date(now).toISOString();
    expect(data['labelAnomaly']?.['handling']).toMatchObject({
      acknowledgedAt: new Date(NOON).toISOString(),
      acknowledgedBy: 'anna',
      assignee: 'ben',
      snoozedUntil: until,
      label: 'TRUE',
      timeline: [
        { event: 'ACKNOWLEDGED', at: new Date(NOON).toISOString(), by: 'anna' },
        { event: 'ASSIGNED', at, by: 'anna', assignee: 'ben' },
        { event: 'COMMENTED', at, by: 'ben', comment: 'a nail' },
        { event: 'SNOOZED', at, by: 'ben', snoozedUntil: until },
        { event: 'LABELLED', at, by: 'ben', label: 'TRUE' },
      ],
    });
    // Only the API's own subdocument has changed.
    const { handling: _, ...rest } = await episode();
    expect(rest).toEqual(before);
    expect([told().length, await waiting()]).toEqual([1, 5]);
    await tell();
    await tell();
    expect(told().map(({ event }) => event)).toEqual([
      'OPENED',
      'ACKNOWLEDGED',
      'ASSIGNED',
      'COMMENTED',
      'SNOOZED',
      'LABELLED',
    ]);
    expect(told()[2]).toMatchObject({ episode: before._id, value: null, handling: { by: 'anna', assignee: 'ben' } });
    expect([await waiting(), (await episode()).timeline.length]).toEqual([0, 1]);
    await live.until(({ items }) => items.length >= 5);
    expect(live.items.map(({ id }) => id)).toEqual(
      told()
        .slice(1)
        .map(({ id }) => id),
    );
    expect(live.items[2]).toMatchObject({ event: 'COMMENTED', handling: { by: 'ben', comment: 'a nail' } });
  });

  it('none is lost and none told twice, whoever writes the episode at the same time and whoever is killed', async () => {
    const busy = process();
    const readings = (async () => {
      for (let n = 0; n < 20; n += 1) {
        send(50);
        await busy.drain(log.high - 1);
      }
    })();
    const comments = Array.from({ length: 20 }, (_, n) => mutate('commentAnomaly', `by: "x", comment: "no. ${n}"`));
    const answers = await Promise.all(comments);
    await readings;
    expect(answers.flatMap(({ errors = [] }) => errors)).toEqual([]);
    const { handling, readings: counted } = await episode();
    expect([handling?.timeline?.length, counted]).toEqual([20, 21]);
    // One that lost the partition in the meantime, one that is killed behind its commit, and one that comes after them.
    const sleeper = started();
    await sleeper.betweenBatches();
    const owner = process();
    await owner.writer.takeOver(owner.signal);
    await tell(sleeper);
    expect(await waiting()).toBe(20);
    await tell();
    const { positions } = rig.database.collections;
    await positions.updateOne({ _id: `${TOPIC}/00000` }, { $set: { eventsPublished: 11 } });
    const first = told().map(({ id }) => id);
    const next = started();
    await next.betweenBatches();
    await tell(next);
    const again = told().map(({ id }) => id);
    expect(again.slice(first.length)).toEqual(first.slice(11));
    const events = await rig.database.collections.events.find({ event: 'COMMENTED' }).sort({ _id: 1 }).toArray();
    expect(events.map((event) => event.handling?.comment)).toEqual(handling?.timeline?.map(({ comment }) => comment));
  });

  it('what happens to a snoozed one carries until when, and a subscriber may leave it out', async () => {
    const until = new Date(NOON + 60_000);
    await mutate('snoozeAnomaly', `by: "ben", until: "${until.toISOString()}"`);
    await tell();
    const cursor = (await api.query<{ liveCursor: string }>('{ liveCursor }')).data.liveCursor;
    send(80);
    await drain();
    now = until.getTime();
    send(10, 10, 10);
    await drain();
    expect(told().map(({ event, snoozedUntil }) => [event, snoozedUntil])).toEqual([
      ['OPENED', undefined],
      ['SNOOZED', undefined],
      ['ESCALATED', until.toISOString()],
      ['CLEARED', undefined],
    ]);
    expect((await episode()).handling?.snoozedUntil).toEqual(until);
    const quiet = new Subscriber<Told>(
      api.url,
      `subscription { anomalies(after: "${cursor}", filter: { snoozed: false }) { ... on AnomalyEvent { event snoozedUntil } } }`,
    );
    subscribers.push(quiet);
    await quiet.until(({ items }) => items.length > 0);
    expect(quiet.items).toEqual([{ event: 'CLEARED', snoozedUntil: null }]);
    const { errors } = await mutate('snoozeAnomaly', `by: "ben", until: "${new Date(now + 1_000).toISOString()}"`);
    expect(errors?.[0]).toMatchObject({ message: 'The anomaly is cleared: there is nothing to snooze' });
  });

  it('a woken one is not snoozed any more; an erased car takes what waits with it', async () => {
    await mutate('snoozeAnomaly', `by: "ben", until: "${new Date(NOON + 60_000).toISOString()}"`);
    await mutate('snoozeAnomaly', 'by: "ben"');
    await tell();
    send(80);
    await drain();
    expect(told().at(-1)).not.toHaveProperty('snoozedUntil');
    await mutate('commentAnomaly', 'by: "ben", comment: "private"');
    const { erasures } = rig.database.collections;
    await erasures.insertOne({ _id: 'car1', upTo: new Date(NOON + 99_000), requestedAt: new Date(), doneAt: null });
    const ingest = started();
    await ingest.betweenBatches();
    await tell(ingest);
    expect([await waiting(), await rig.database.collections.events.countDocuments()]).toEqual([0, 0]);
  });

  it.each([
    ['acknowledgeAnomaly', 'by is empty', 'BAD_ARGUMENT', 'by: " "'],
    ['assignAnomaly', 'to has more than 100 characters', 'BAD_ARGUMENT', `by: "a", to: "${'x'.repeat(101)}"`],
    ['commentAnomaly', 'comment is empty', 'BAD_ARGUMENT', 'by: "a", comment: "\\n"'],
    ['commentAnomaly', 'more than 2,000 characters', 'BAD_ARGUMENT', `by: "a", comment: "${'x'.repeat(2_001)}"`],
    ['snoozeAnomaly', 'does not lie in the future', 'BAD_ARGUMENT', 'by: "a", until: "2026-06-01T12:00:00Z"'],
    ['snoozeAnomaly', 'lies more than a year ahead', 'BAD_ARGUMENT', 'by: "a", until: "2028-06-01T12:00:00Z"'],
    ['snoozeAnomaly', 'must be an ISO 8601 instant', 'BAD_REQUEST', 'by: "a", until: "tomorrow"'],
    ['labelAnomaly', 'MAYBE', 'BAD_REQUEST', 'by: "a", label: MAYBE'],
  ])('%s is refused: %o', async (field, message, code, args) => {
    const { errors } = await mutate(field, args);
    expect(errors).toMatchObject([{ extensions: { code } }]);
    expect(errors?.[0]?.message).toContain(message);
    expect([await waiting(), (await episode()).handling]).toEqual([0, undefined]);
  });

  it('an anomaly that is not there, and one that was handled too often, are refused', async () => {
    const { errors } = await mutate('acknowledgeAnomaly', 'by: "a"', 'car1/TIRE/2020-01-01T00:00:00.000Z');
    expect(errors).toMatchObject([{ message: 'There is no such anomaly', extensions: { code: 'NOT_FOUND' } }]);
    const entry = { event: 'COMMENTED', at: new Date(NOON), by: 'a', comment: 'x' } as const;
    const full = { 'handling.timeline': Array.from({ length: HANDLING_CAP }, () => entry) };
    await rig.database.collections.anomalies.updateOne({}, { $set: full });
    const again = await mutate('acknowledgeAnomaly', 'by: "a"');
    expect(again.errors).toMatchObject([{ extensions: { code: 'BAD_ARGUMENT' } }]);
    expect(await waiting()).toBe(0);
  });
});
