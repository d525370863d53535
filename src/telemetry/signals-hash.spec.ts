import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashSignals } from './signals-hash.js';
import { noSignals, SIGNAL_NAMES, type Signals } from './signals.js';

const some: Signals = { ...noSignals(), coolantTemp: 39.395103, speed: 24.934872, controlUnitFirmware: 2000 };
const all = Object.fromEntries(SIGNAL_NAMES.map((name, place) => [name, (place - 9) * 1.25])) as Signals;

describe('hashSignals', () => {
  // The hash is stored: when one of these changes, nothing that is stored is recognised any more.
  it.each([
    ['no signal', noSignals(), 3_805_184_008_169_173],
    ['some signals', some, 3_018_678_014_353_759],
    ['all signals', all, 4_333_049_426_835_325],
  ])('of %s is what it always was', (_, signals, hash) => {
    expect(hashSignals(signals)).toBe(hash);
  });

  it('does not depend on the order of the fields', () => {
    const reversed = Object.fromEntries(Object.entries(some).reverse()) as Signals;
    expect(hashSignals(reversed)).toBe(hashSignals(some));
  });

  it('takes -0 for 0, and null for neither', () => {
    const zero = hashSignals({ ...some, speed: 0 });
    expect(hashSignals({ ...some, speed: -0 })).toBe(zero);
    expect(hashSignals({ ...some, speed: null })).not.toBe(zero);
  });

  it('tells the same value in two signals apart', () => {
    const hashes = SIGNAL_NAMES.map((name) => hashSignals({ ...noSignals(), [name]: 1 }));
    expect(new Set(hashes).size).toBe(SIGNAL_NAMES.length);
  });

  it('is an integer of 52 bits, another one for every other value', () => {
    const value = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(fc.constantFrom(...SIGNAL_NAMES), value, value, (name, one, other) => {
        const hash = hashSignals({ ...some, [name]: one });
        expect(Number.isSafeInteger(hash) && hash >= 0 && hash < 2 ** 52).toBe(true);
        expect(hash === hashSignals({ ...some, [name]: other })).toBe(one + 0 === other + 0);
      }),
    );
  });
});
