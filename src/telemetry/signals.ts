/**
 * The 18 signals of a car, in the order in which every table, model input and document lists them.
 *
 * `wire` is the canonical spelling on the wire; decode accepts every spelling whose letters and digits agree once case,
 * underscores and a trailing `value` are ignored. Values are kept in the unit the car sent, which is the unit named here.
 * VSS paths follow the COVESA Vehicle Signal Specification; null where VSS has no such signal.
 */
const TABLE = [
  [
    'coolantTemp',
    'coolant_temp',
    '°C',
    'Vehicle.Powertrain.ElectricMotor.EngineCoolant.Temperature',
    'Coolant temperature',
  ],
  ['intakeAirTemp', 'intake_air_temp', '°C', 'Vehicle.OBD.IntakeTemp', 'Intake air temperature'],
  ['intakeAirFlowSpeed', 'intake_air_flow_speed', 'm/s', null, 'Intake air flow speed'],
  [
    'batteryPercentage',
    'battery_percentage',
    '%',
    'Vehicle.Powertrain.TractionBattery.StateOfCharge.Current',
    'Battery state of charge',
  ],
  ['batteryVoltage', 'battery_voltage', 'V', 'Vehicle.Powertrain.TractionBattery.CurrentVoltage', 'Battery voltage'],
  [
    'currentDraw',
    'current_draw',
    'A',
    'Vehicle.Powertrain.TractionBattery.CurrentCurrent',
    'Current drawn from the battery',
  ],
  ['speed', 'speed', 'm/s', 'Vehicle.Speed', 'Speed of the car'],
  ['engineVibrationAmplitude', 'engine_vibration_amplitude', '(raw)', null, 'Engine vibration amplitude'],
  ['throttlePos', 'throttle_pos', '0..1', 'Vehicle.Powertrain.CombustionEngine.TPS', 'Throttle position'],
  [
    'tirePressure11',
    'tire_pressure_11',
    'psi',
    'Vehicle.Chassis.Axle.Row1.Wheel.Left.Tire.Pressure',
    'Tire pressure front left',
  ],
  [
    'tirePressure12',
    'tire_pressure_12',
    'psi',
    'Vehicle.Chassis.Axle.Row1.Wheel.Right.Tire.Pressure',
    'Tire pressure front right',
  ],
  [
    'tirePressure21',
    'tire_pressure_21',
    'psi',
    'Vehicle.Chassis.Axle.Row2.Wheel.Left.Tire.Pressure',
    'Tire pressure rear left',
  ],
  [
    'tirePressure22',
    'tire_pressure_22',
    'psi',
    'Vehicle.Chassis.Axle.Row2.Wheel.Right.Tire.Pressure',
    'Tire pressure rear right',
  ],
  ['accelerometer11', 'accelerometer_11_value', 'm/s²', null, 'Chassis acceleration front left'],
  ['accelerometer12', 'accelerometer_12_value', 'm/s²', null, 'Chassis acceleration front right'],
  ['accelerometer21', 'accelerometer_21_value', 'm/s²', null, 'Chassis acceleration rear left'],
  ['accelerometer22', 'accelerometer_22_value', 'm/s²', null, 'Chassis acceleration rear right'],
  ['controlUnitFirmware', 'control_unit_firmware', 'version', null, 'Control unit firmware version'],
] as const;

export type SignalName = (typeof TABLE)[number][0];

/** The values of one reading in the cars' own units; a signal that the car did not send is null. */
export type Signals = Record<SignalName, number | null>;

export interface Signal {
  readonly name: SignalName;
  readonly wire: string;
  readonly unit: string;
  readonly vssPath: string | null;
  readonly title: string;
}

export const SIGNALS: readonly Signal[] = TABLE.map(([name, wire, unit, vssPath, title]) => ({
  name,
  wire,
  unit,
  vssPath,
  title,
}));

export const SIGNAL_NAMES: readonly SignalName[] = SIGNALS.map((signal) => signal.name);

/** A fresh set of signals, all null. */
export function noSignals(): Signals {
  return Object.fromEntries(SIGNAL_NAMES.map((name) => [name, null])) as Signals;
}
