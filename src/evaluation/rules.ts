import type { Score, ScoreMemory, Scored, Scorer, SignalShare, ToScore } from '../telemetry/score.js';
import type { SignalName, Signals } from '../telemetry/signals.js';

/**
 * What somebody who knows the simulator's formulas would write by hand: the yardstick that a learned model is held
 * against, and no part of the service, for real cars come without their constants. Each rule says how far a reading is on
 * the way from what a healthy car sends (0 to 1) to what it never sends (above 1); the score is the worst of them. Tires
 * and shock absorbers are judged by the worst of the car's last five readings.
 */
export class RulesScorer implements Scorer {
  readonly model = 'rules@1';
  readonly threshold = 1;

  score(batch: readonly ToScore[]): Promise<Scored[]> {
    return Promise.resolve(batch.map(({ reading, memory }) => judged(reading.signals, pastOf(memory))));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

const FEATURES = 'rules-1';
const READINGS = 5;
/** Stands for what is not known: NaN would not live through JSON. */
const UNKNOWN = -1e99;
/** Below this a quotient by the speed says nothing; m/s. */
const SLOW = 0.2;

const WHEELS = ['11', '12', '21', '22'] as const;

interface Past {
  readonly charge: number;
  readonly speed: number;
  readonly drain: number;
  /** The latest that was known: a car that stands says nothing of its drive shaft. */
  readonly vibration: number;
  /** Of the last readings, the newest first: how far each tire and each shock absorber was on its way. */
  readonly wheels: readonly (readonly number[])[];
}

function pastOf(memory: ScoreMemory | null): Past | null {
  if (memory?.features !== FEATURES) return null;
  const [charge = UNKNOWN, speed = UNKNOWN, drain = UNKNOWN, vibration = UNKNOWN, ...rest] = memory.state;
  const wheels: number[][] = [];
  for (let start = 0; start < rest.length; start += 2 * WHEELS.length)
    wheels.push(rest.slice(start, start + 2 * WHEELS.length));
  return { charge, speed, drain, vibration, wheels };
}

function judged(signals: Signals, past: Past | null): Scored {
  const drain = drainOf(signals, past);
  const shaken = vibration(signals, past);
  const now = [...WHEELS.map((wheel) => tire(signals, wheel)), ...WHEELS.map((wheel) => shock(signals, wheel))];
  const wheels = [now, ...(past?.wheels ?? [])].slice(0, READINGS);
  const worst = now.map((value, place) => {
    return Number.isNaN(value) ? NaN : Math.max(...wheels.map((row) => row[place] ?? UNKNOWN));
  });
  const found: [SignalName, number][] = [
    ['engineVibrationAmplitude', shaken],
    // A car's very first message may come from a car that stood in the sun.
    ['coolantTemp', past === null ? NaN : heat(signals)],
    // The lower of two: a message that was lost must not look like a fast drain.
    [
      'batteryPercentage',
      past === null || past.drain === UNKNOWN ? NaN : (Math.min(drain, past.drain) / 0.001 - 1) / 0.4,
    ],
    ['currentDraw', current(signals)],
    ['controlUnitFirmware', (2_000 - value(signals.controlUnitFirmware)) / 50],
    ...WHEELS.map((wheel, place): [SignalName, number] => [`tirePressure${wheel}`, worst[place] ?? NaN]),
    ...WHEELS.map((wheel, place): [SignalName, number] => [`accelerometer${wheel}`, worst[place + 4] ?? NaN]),
  ];
  const known = found.filter(([, far]) => Number.isFinite(far) && far !== UNKNOWN);
  if (known.length === 0) return { kind: 'unscored', reason: 'no rule says anything about this reading' };
  const latest = [value(signals.batteryPercentage), value(signals.speed), drain, shaken];
  const state = [...latest, ...wheels.flat()].map(storable);
  return { kind: 'scored', score: scoreOf(known), memory: { features: FEATURES, state } };
}

function scoreOf(known: readonly [SignalName, number][]): Score {
  const rising = known.map(([signal, far]) => [signal, Math.max(0, far)] as const);
  const worst = Math.max(...rising.map(([, far]) => far));
  const total = rising.reduce((sum, [, far]) => sum + far ** 2, 0);
  const topSignals: SignalShare[] = rising
    .filter(([, far]) => far > 0)
    .toSorted(([, one], [, other]) => other - one)
    .slice(0, 3)
    .map(([signal, far]) => ({ signal, share: far ** 2 / total }));
  return { value: worst, threshold: 1, anomalous: worst > 1, model: 'rules@1', topSignals };
}

/** 100 in a healthy car, 150 with a broken drive shaft. */
function vibration({ engineVibrationAmplitude, speed }: Signals, past: Past | null): number {
  if (value(speed) >= SLOW) return Math.abs(value(engineVibrationAmplitude) / value(speed) / 100 - 1) / 0.08;
  return past?.vibration ?? NaN;
}

/** 0.1 °C a ampere in a healthy car, 0.5 in one that overheats. */
function heat({ coolantTemp, intakeAirTemp, currentDraw }: Signals): number {
  return ((value(coolantTemp) - value(intakeAirTemp)) / value(currentDraw) - 0.1) / 0.03;
}

/** The motor draws throttle × (|260 − voltage| + 4), and 80 at least. */
function current({ currentDraw, throttlePos, batteryVoltage }: Signals): number {
  const healthy = Math.max(value(throttlePos) * (Math.abs(260 - value(batteryVoltage)) + 4), 80);
  return (value(currentDraw) / healthy - 1) / 0.06;
}

/** 0.001 % a m/s in a healthy car. */
function drainOf({ batteryPercentage }: Signals, past: Past | null): number {
  if (past === null || past.charge === UNKNOWN || !(past.speed >= SLOW)) return past?.drain ?? NaN;
  return (past.charge - value(batteryPercentage)) / past.speed;
}

/** 30 to 34 psi in a healthy tire; sensors that err show 29. */
function tire(signals: Signals, wheel: (typeof WHEELS)[number]): number {
  return (34 - value(signals[`tirePressure${wheel}`])) / 5;
}

/** 0 to 1 on a smooth road and 2 to 3 on a bump, which all wheels feel. */
function shock(signals: Signals, wheel: (typeof WHEELS)[number]): number {
  const others = WHEELS.filter((other) => other !== wheel).map((other) => value(signals[`accelerometer${other}`]));
  const middle = others.filter((one) => !Number.isNaN(one)).toSorted((one, other) => one - other)[1] ?? NaN;
  return (value(signals[`accelerometer${wheel}`]) - (middle > 1.5 ? 2 : 0)) / 1.05;
}

function value(signal: number | null): number {
  return signal ?? NaN;
}

function storable(number: number): number {
  return Number.isFinite(number) ? number : UNKNOWN;
}
