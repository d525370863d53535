import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadScorer, type LoadedScorer } from '../../src/score/load-scorer.js';
import { onlyScorer } from '../../src/telemetry/score.js';
import { NO_HAZARDS } from '../../src/simulator/faults.js';
import { simulateFleet } from '../../src/simulator/fleet.js';
import type { Signals } from '../../src/telemetry/signals.js';
import type { EpisodeEventDocument } from '../../src/twin/documents.js';
import { NOON, aReading, aRecord } from '../builders/sensor.js';
import { TestLog, ingestRig, type Rig } from '../ingest-rig.js';
import { databaseServers } from '../servers.js';

describe.each(databaseServers())('kinds of episodes with the shipped model on $name', (server) => {
  let running: { uri: string; stop(): Promise<void> };
  let scorer: LoadedScorer;
  let log: TestLog;
  let rig: Rig;

  beforeAll(async () => {
    running = await server.start();
    scorer = await loadScorer({ dir: 'models/default', backend: 'wasm', evaluator: 'auto', log: () => undefined });
  });
  afterAll(async () => {
    await scorer?.close();
    await running?.stop();
  });
  beforeEach(async () => {
    log = new TestLog();
    rig = await ingestRig(running.uri, log);
  });
  afterEach(() => rig.close());

  /** Readings of a simulated car, all of them with these signals. */
  const driven = [
    ...simulateFleet({ cars: 1, seed: 77, start: NOON, stepSeconds: 10, messages: 40, hazards: NO_HAZARDS }),
  ];
  const send = (from: number, to: number, changed: Partial<Signals>) => {
    for (const { car, at, signals } of driven.slice(from, to))
      log.records.push(aRecord(log.high, aReading({ car, at, signals: { ...signals, ...changed } })));
  };
  const episodes = () => rig.database.collections.anomalies.find().sort({ openedAt: 1, _id: 1 }).toArray();
  const statusNow = async () => (await rig.database.collections.twins.findOne({ _id: 'car1' }))?.status;

  it('an outdated firmware is a notice; a tire that then leaks gets its episode beside it', async () => {
    const process = rig.process({ scorers: onlyScorer(scorer) });
    send(0, 12, { controlUnitFirmware: 1_000 });
    await process.drain();
    expect(await episodes()).toMatchObject([{ kind: 'FIRMWARE_OUTDATED', status: 'OPEN', severity: 'MINOR' }]);
    expect(await statusNow()).toBe('NORMAL');
    send(12, 18, { controlUnitFirmware: 1_000, tirePressure21: 22 });
    await process.drain(12);
    expect(await episodes()).toMatchObject([{ kind: 'FIRMWARE_OUTDATED' }, { kind: 'TIRE', status: 'OPEN' }]);
    expect(await statusNow()).toBe('ANOMALOUS');
    const [, tire] = await episodes();
    expect(tire?.topSignals[0]?.signal).toBe('tirePressure21');
    const told = rig.published.filter(({ topic }) => topic === 'car-anomalies');
    const events = told.map(({ value }) => JSON.parse(String(value)) as EpisodeEventDocument);
    expect(
      events.map(({ event, kind, severity, topSignals }) => [event, kind, severity, topSignals[0]?.signal]),
    ).toEqual([
      ['OPENED', 'FIRMWARE_OUTDATED', 'MINOR', 'controlUnitFirmware'],
      ['OPENED', 'TIRE', tire?.severity, 'tirePressure21'],
    ]);
  });
});
