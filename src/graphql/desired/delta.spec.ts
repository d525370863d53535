import { describe, expect, it } from 'vitest';
import { noSignals } from '../../telemetry/signals.js';
import { deltaOf } from './delta.js';

describe('the difference between desired and reported', () => {
  const signals = { ...noSignals(), controlUnitFirmware: 1_999 };

  it('takes signals from the reports and nothing that the car merely accepted', () => {
    const wanted = { controlUnitFirmware: 2_000 };
    expect(deltaOf(wanted, wanted, signals)).toEqual([
      { name: 'controlUnitFirmware', desired: 2_000, reported: 1_999 },
    ]);
    expect(deltaOf({ controlUnitFirmware: 1_999 }, null, signals)).toEqual([]);
    expect(deltaOf(wanted, wanted, null)).toEqual([{ name: 'controlUnitFirmware', desired: 2_000, reported: null }]);
  });

  it('takes other values from what the car accepted, whatever their shape', () => {
    const wanted = { chargeLimit: 80, zones: [{ from: 1, to: 2 }], off: false };
    expect(deltaOf(wanted, { chargeLimit: 80, zones: [{ to: 2, from: 1 }], off: false }, signals)).toEqual([]);
    expect(deltaOf(wanted, { chargeLimit: 70, zones: [], constructor: 1 }, signals)).toEqual([
      { name: 'chargeLimit', desired: 80, reported: 70 },
      { name: 'zones', desired: [{ from: 1, to: 2 }], reported: [] },
      { name: 'off', desired: false, reported: null },
    ]);
    expect(deltaOf({ toString: 1 }, {}, signals)).toEqual([{ name: 'toString', desired: 1, reported: null }]);
  });

  it('is empty where nothing is desired, and leaves out what is no longer desired', () => {
    expect(deltaOf({}, { chargeLimit: 80 }, signals)).toEqual([]);
  });
});
