import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Signals } from '../telemetry/signals.js';
import { newCar, PLAIN, stepCar, VARIED, WIDE, type Car, type CarState } from './car.js';
import type { ActiveFault, FaultName, Wheel } from './faults.js';
import { Random } from './random.js';

const MESSAGES = 60;
const TIRES = ['tirePressure11', 'tirePressure12', 'tirePressure21', 'tirePressure22'] as const;
const ACCELEROMETERS = ['accelerometer11', 'accelerometer12', 'accelerometer21', 'accelerometer22'] as const;

const seeds = fc.nat();
const varieties = fc.constantFrom(PLAIN, VARIED, WIDE);
const strengths = fc.double({ min: 0.05, max: 1, noNaN: true });
const wheels = fc.constantFrom<Wheel>(0, 1, 2, 3);

interface Step {
  readonly car: Car;
  readonly before: CarState;
  readonly signals: Record<keyof Signals, number>;
}

function drive(seed: number, variety: typeof PLAIN, faults: readonly ActiveFault[] = []): Step[] {
  const random = new Random(seed);
  let { car, state } = newCar(random, variety);
  return Array.from({ length: MESSAGES }, () => {
    const before = state;
    const step = stepCar(car, before, faults, random);
    state = step.state;
    return { car, before, signals: step.signals as Step['signals'] };
  });
}

function fault(name: FaultName, strength: number, wheel: Wheel | null = null): ActiveFault {
  return { name, strength, wheel, until: Infinity };
}

function within(value: number, low: number, high: number): void {
  expect(value).toBeGreaterThanOrEqual(low - 1e-9);
  expect(value).toBeLessThanOrEqual(high + 1e-9);
}

function bumpOf({ signals }: Step): boolean {
  return ACCELEROMETERS.every((name) => signals[name] >= 2);
}

/** Every step of some car, healthy or with the faults. */
function always(holds: (step: Step) => void, faults: readonly ActiveFault[] = []): void {
  fc.assert(fc.property(seeds, varieties, (seed, variety) => drive(seed, variety, faults).forEach(holds)));
}

describe('a healthy car', () => {
  it('vibrates 100 times its speed', () => {
    always(({ signals }) => expect(signals.engineVibrationAmplitude).toBeCloseTo(100 * signals.speed, 6));
  });

  it('follows its throttle: a fifth of what that strives for, four fifths of the speed before', () => {
    always(({ before, signals }) => {
      within(signals.throttlePos, 0, 1);
      expect(signals.speed).toBeCloseTo(0.8 * before.speed + 0.2 * signals.throttlePos * 38.889, 9);
    });
  });

  it('moves the throttle by less than a half a message', () => {
    const step = (seed: number) =>
      drive(seed, PLAIN).forEach(({ before, signals }) => {
        if (before.sent > 0) within(signals.throttlePos, before.throttle - 0.5, before.throttle + 0.5);
      });
    fc.assert(fc.property(seeds, step));
  });

  it('draws max(th·(|260 − V| + 4), 80) from a battery of 180 + 80 V a percent', () => {
    always(({ signals }) => {
      const { throttlePos, batteryVoltage, currentDraw } = signals;
      within(batteryVoltage, 180 + 80 * 30, 180 + 80 * 100);
      expect(currentDraw).toBeCloseTo(Math.max(throttlePos * (Math.abs(260 - batteryVoltage) + 4), 80), 6);
    });
  });

  it('loses a thousandth of the speed before from its battery', () => {
    always(({ before, signals }) => {
      const lost = before.sent === 0 ? 0 : 0.001 * before.speed;
      expect(signals.batteryPercentage).toBeCloseTo(before.battery - lost, 9);
    });
  });

  it('warms its coolant by a tenth of the current, its very first message by up to 20 °C more', () => {
    always(({ before, signals }) => {
      const base = signals.coolantTemp - 0.1 * signals.currentDraw - signals.intakeAirTemp;
      within(base, 0, before.sent === 0 ? 20 : 0);
    });
  });

  it('has tires of 30 to 34 whole psi, accelerometers below 1 or all on a bump, and firmware 2000', () => {
    always((step) => {
      for (const name of TIRES) within(step.signals[name], 30, 34);
      for (const name of TIRES) expect(Number.isInteger(step.signals[name])).toBe(true);
      const [low, high] = bumpOf(step) ? [2, 3] : [0, 1];
      for (const name of ACCELEROMETERS) within(step.signals[name], low, high);
      expect(step.signals.controlUnitFirmware).toBe(2_000);
    });
  });

  it('keeps its intake air, air flow and battery voltage', () => {
    always(({ car, signals }) => {
      within(car.intakeAirTemp, 15, 40);
      within(car.intakeAirFlowSpeed, 0, 200);
      expect(signals).toMatchObject({
        intakeAirTemp: car.intakeAirTemp,
        intakeAirFlowSpeed: car.intakeAirFlowSpeed,
        batteryVoltage: car.batteryVoltage,
      });
    });
  });

  it('meets a bump on one message in twenty', () => {
    const steps = Array.from({ length: 100 }, (_, seed) => drive(seed, PLAIN)).flat();
    within(steps.filter(bumpOf).length / steps.length, 0.04, 0.06);
  });

  it('is as new or as old as the fleet is', () => {
    fc.assert(
      fc.property(seeds, fc.nat(3_000), (seed, age) => {
        const young = newCar(new Random(seed), { ...PLAIN, age: [0, 0] });
        const old = newCar(new Random(seed), { ...PLAIN, age: [age, age] });
        expect(young.state.sent).toBe(0);
        expect(old.state.sent).toBe(age);
        expect(old.state.battery).toBeLessThanOrEqual(young.state.battery);
        expect(old.car).toEqual(young.car);
      }),
    );
  });
});

describe('a fault', () => {
  it('changes nothing but what it does itself', () => {
    fc.assert(
      fc.property(seeds, strengths, (seed, strength) => {
        const healthy = drive(seed, VARIED);
        const failing = drive(seed, VARIED, [fault('tire', strength, 0), fault('shock', strength, 0)]);
        failing.forEach(({ signals }, i) => {
          const { tirePressure11, accelerometer11 } = signals;
          expect(signals).toEqual({ ...healthy[i]?.signals, tirePressure11, accelerometer11 });
        });
      }),
      { numRuns: 30 },
    );
  });

  it('in a tire: that wheel alone has 1 − s of its pressure, in whole psi', () => {
    fc.assert(
      fc.property(seeds, strengths, wheels, (seed, strength, wheel) => {
        for (const { signals } of drive(seed, VARIED, [fault('tire', strength, wheel)])) {
          TIRES.forEach((name, i) => {
            const kept = i === wheel ? 1 - strength : 1;
            within(signals[name], Math.round(30 * kept), Math.round(34 * kept));
            expect(Number.isInteger(signals[name])).toBe(true);
          });
        }
      }),
    );
  });

  it('in a tire as in the original (s .33): 20 to 24 psi', () => {
    always(({ signals }) => within(signals.tirePressure21, 20, 24), [fault('tire', 0.33, 2)]);
  });

  it('in a shock absorber: 3·s more without a bump, U(2 + 3s, 3 + 4s) on one', () => {
    fc.assert(
      fc.property(seeds, strengths, wheels, (seed, worn, wheel) => {
        for (const { signals } of drive(seed, VARIED, [fault('shock', worn, wheel)])) {
          const bump = signals[ACCELEROMETERS[wheel === 0 ? 1 : 0]] >= 2;
          const [low, high] = bump ? [2 + 3 * worn, 3 + 4 * worn] : [3 * worn, 1 + 3 * worn];
          within(signals[ACCELEROMETERS[wheel]], low, high);
        }
      }),
    );
  });

  it('in the drive shaft: vibration of 100 to 150 times the speed', () => {
    fc.assert(
      fc.property(seeds, strengths, (seed, s) => {
        for (const { signals } of drive(seed, VARIED, [fault('driveShaft', s)])) {
          expect(signals.engineVibrationAmplitude).toBeCloseTo((100 + 50 * s) * signals.speed, 6);
        }
      }),
    );
    always(
      ({ signals }) => expect(signals.engineVibrationAmplitude).toBeCloseTo(150 * signals.speed, 6),
      [fault('driveShaft', 1)],
    );
  });

  it('of the cooling: 0.1 to 0.5 °C an ampere', () => {
    fc.assert(
      fc.property(seeds, strengths, (seed, s) => {
        for (const { before, signals } of drive(seed, VARIED, [fault('overheating', s)])) {
          const base = signals.coolantTemp - (0.1 + 0.4 * s) * signals.currentDraw - signals.intakeAirTemp;
          within(base, 0, before.sent === 0 ? 20 : 0);
        }
      }),
    );
  });

  it('of the battery: drains up to five times as fast, sags, and the same power takes more current', () => {
    fc.assert(
      fc.property(seeds, strengths, (seed, s) => {
        for (const { car, before, signals } of drive(seed, VARIED, [fault('battery', s)])) {
          const { batteryVoltage, currentDraw, throttlePos, batteryPercentage } = signals;
          const lost = before.sent === 0 ? 0 : (1 + 4 * s) * 0.001 * before.speed;
          expect(batteryPercentage).toBeCloseTo(before.battery - lost, 9);
          within(batteryVoltage / car.batteryVoltage, 1 - 0.25 * s, 1 - 0.1 * s);
          const healthy = Math.max(throttlePos * (Math.abs(260 - car.batteryVoltage) + 4), 80);
          expect(currentDraw * batteryVoltage).toBeCloseTo(healthy * car.batteryVoltage, 3);
        }
      }),
    );
  });

  it('of the firmware: a version below 2000, 1000 as in the original', () => {
    always(({ signals }) => expect(signals.controlUnitFirmware).toBe(1_000), [fault('firmware', 1)]);
    always(({ signals }) => expect(signals.controlUnitFirmware).toBe(1_900), [fault('firmware', 0.1)]);
  });
});
