import { SIGNAL_NAMES } from '../../telemetry/signals.js';

/** `Type.field` of outputs, `Input.field` of arguments and `Enum.VALUE`: whatever an operation can name. */
type Names = readonly string[];

const inCarFilters = (field: string): Names => [`CarFilterInput.${field}`, `CarUpdateFilterInput.${field}`];

const signal = (name: string): Names => [
  `Signals.${name}`,
  `SignalRollups.${name}`,
  `SignalName.${name}`,
  `FleetMeasure.${name}`,
  'CarDiff.signals',
  'DesiredState.delta',
  'Drift.signals',
];
const FIRMWARE: Names = ['Drift.firmware', 'Fleet.byFirmware', 'FleetDimension.FIRMWARE', ...inCarFilters('firmware')];
const FLEET: Names = [
  'Fleet.byFleet',
  'FleetDimension.FLEET',
  'AnomalyEventFilterInput.fleet',
  ...inCarFilters('fleet'),
];
const MODEL: Names = ['Fleet.byModel', 'FleetDimension.MODEL', ...inCarFilters('model')];
const TAGS = inCarFilters('tags');
const STATUS: Names = [
  'CarDiff.statusFrom',
  'CarDiff.statusTo',
  'Fleet.byStatus',
  'FleetDimension.STATUS',
  ...inCarFilters('status'),
];
/** Each of score, ratio and threshold follows from the other two. */
const SCORE: Names = [
  'Score.ratio',
  'Score.value',
  'CarDiff.ratioFrom',
  'CarDiff.ratioTo',
  'Fleet.score',
  'Fleet.top',
  'FleetMeasure.SCORE',
  'CarOrderField.SCORE',
  'Rollup.maxRatio',
  'Rollup.maxScore',
  'Peak.ratio',
  'Peak.value',
  'TimelineStep.ratio',
  'AnomalyEvent.ratio',
  'AnomalyEvent.value',
  'AnomalyEventFilterInput.minRatio',
  ...inCarFilters('score'),
];
const ALL_SIGNALS: Names = [...new Set([...SIGNAL_NAMES.flatMap(signal), ...FIRMWARE])];
const ALL_ATTRIBUTES: Names = ['Car.attributes', 'Car.formerAttributes', ...FLEET, ...MODEL, ...TAGS];

/** By `Type.field`, all that shows the same or tells of it when it is named in an argument. */
export const SYNONYMS: Readonly<Record<string, Names>> = {
  ...Object.fromEntries(SIGNAL_NAMES.map((name) => [`Signals.${name}`, signal(name)])),
  'Signals.controlUnitFirmware': [...signal('controlUnitFirmware'), ...FIRMWARE],
  'Car.signals': ['Reading.signals', ...ALL_SIGNALS],
  'Reading.signals': ['Car.signals', ...ALL_SIGNALS],
  'CarAttributes.fleet': ['CarAttributes.values', ...FLEET],
  'CarAttributes.model': ['CarAttributes.values', ...MODEL],
  'CarAttributes.tags': ['CarAttributes.values', ...TAGS],
  'CarAttributes.plate': ['CarAttributes.values'],
  'Car.attributes': ALL_ATTRIBUTES,
  'Car.formerAttributes': ALL_ATTRIBUTES,
  'Car.score': ['Reading.score', ...SCORE],
  'Reading.score': ['Car.score', ...SCORE],
  'Score.ratio': SCORE,
  'Score.value': SCORE,
  'Car.status': STATUS,
  'Car.freshness': ['Fleet.byFreshness', 'Coverage.stale', ...inCarFilters('freshness')],
  'Car.lastSeenAt': ['CarOrderField.LAST_SEEN'],
  'Car.openEpisodes': inCarFilters('openKind'),
};
