import type { SignalName } from '../telemetry/signals.js';

/** What an episode is about: the group of the signal that is blamed most, or that nothing comes from the car. */
export const EPISODE_KINDS = [
  'TIRE',
  'SHOCK',
  'DRIVE_SHAFT',
  'OVERHEATING',
  'BATTERY',
  'FIRMWARE_OUTDATED',
  'OTHER',
  'NO_DATA',
] as const;
export type EpisodeKind = (typeof EPISODE_KINDS)[number];

/** Those that a workshop mends; the others are notices, which leave a car's status as it is. */
export const MECHANICAL_KINDS = ['TIRE', 'SHOCK', 'DRIVE_SHAFT', 'OVERHEATING', 'BATTERY', 'OTHER'] as const;

const KIND_OF: Readonly<Record<SignalName, Exclude<EpisodeKind, 'NO_DATA'>>> = {
  coolantTemp: 'OVERHEATING',
  intakeAirTemp: 'OTHER',
  intakeAirFlowSpeed: 'OTHER',
  batteryPercentage: 'BATTERY',
  batteryVoltage: 'BATTERY',
  currentDraw: 'BATTERY',
  speed: 'OTHER',
  engineVibrationAmplitude: 'DRIVE_SHAFT',
  throttlePos: 'OTHER',
  tirePressure11: 'TIRE',
  tirePressure12: 'TIRE',
  tirePressure21: 'TIRE',
  tirePressure22: 'TIRE',
  accelerometer11: 'SHOCK',
  accelerometer12: 'SHOCK',
  accelerometer21: 'SHOCK',
  accelerometer22: 'SHOCK',
  controlUnitFirmware: 'FIRMWARE_OUTDATED',
};

export function kindOf(signal: SignalName | undefined): EpisodeKind {
  return signal === undefined ? 'OTHER' : KIND_OF[signal];
}
