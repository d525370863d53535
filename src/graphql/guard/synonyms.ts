import { SIGNAL_NAMES } from '../../telemetry/signals.js';
import { SEVERITIES } from '../../twin/documents.js';
import { EPISODE_KINDS } from '../../twin/episode-kind.js';

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
  'Score.worseThan',
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
  'ModelComparison.meanRatio',
  'ModelComparison.championMeanRatio',
  ...inCarFilters('score'),
];
const BLAMED: Names = ['Score.topSignals', 'Anomaly.topSignals', 'AnomalyEvent.topSignals'];
const WHOLE_SCORE: Names = [...SCORE, ...BLAMED, 'Rollup.anomalies'];
const STALE: Names = ['Coverage.stale', 'FleetGroup.stale'];
const SNOOZED: Names = ['AnomalyEvent.snoozedUntil', 'AnomalyEventFilterInput.snoozed'];
const ALL_SIGNALS: Names = [...new Set([...SIGNAL_NAMES.flatMap(signal), ...FIRMWARE])];
const ALL_ATTRIBUTES: Names = ['Car.attributes', 'Car.formerAttributes', ...FLEET, ...MODEL, ...TAGS];

/** Fields that show the same: with each go the others and what else tells of it. */
function alike(fields: Names, telling: Names = []): Record<string, Names> {
  return Object.fromEntries(
    fields.map((field) => [field, [...fields.filter((other) => other !== field), ...telling]] as const),
  );
}

const OF_ANOMALIES: Readonly<Record<string, Names>> = {
  'Car.openEpisodes': ['CarDiff.opened', 'CarDiff.cleared', ...inCarFilters('openKind')],
  ...alike(
    ['Anomaly.kind', 'AnomalyEvent.kind', 'EpisodeTimes.kind'],
    EPISODE_KINDS.map((kind) => `AnomalyKind.${kind}`),
  ),
  ...alike(
    ['Anomaly.severity', 'AnomalyEvent.severity', 'TimelineStep.severity'],
    SEVERITIES.map((severity) => `AnomalySeverity.${severity}`),
  ),
  ...alike(['Anomaly.openedAt', 'AnomalyEvent.openedAt'], ['AnomalyFilterInput.from', 'AnomalyFilterInput.to']),
  'Anomaly.status': ['Anomaly.clearedAt', 'AnomalyFilterInput.status'],
  ...alike(['Anomaly.model', 'AnomalyEvent.model']),
  ...alike(BLAMED),
  ...alike(['Anomaly.handling', 'AnomalyEvent.handling'], SNOOZED),
  ...alike(['AnomalyHandling.snoozedUntil', 'HandlingStep.snoozedUntil'], SNOOZED),
  'AnomalyEvent.snoozedUntil': [
    'AnomalyHandling.snoozedUntil',
    'HandlingStep.snoozedUntil',
    'AnomalyEventFilterInput.snoozed',
  ],
  ...alike(['AnomalyHandling.assignee', 'HandlingStep.assignee']),
  ...alike(['AnomalyHandling.label', 'HandlingStep.label']),
  ...alike(['AnomalyHandling.acknowledgedBy', 'HandlingStep.by']),
};

const OF_COMMANDS: Readonly<Record<string, Names>> = {
  ...alike(['DesiredState.values', 'DesiredState.delta', 'AcceptedState.values', 'Command.values']),
  'Car.desired': ['Car.commands', 'Command.values', 'AcceptedState.values'],
  ...alike(['DesiredState.by', 'Command.by']),
  ...alike(['DesiredState.at', 'Command.at']),
  ...alike(['DesiredState.version', 'Command.version']),
  ...alike(['Command.status', 'CommandStep.status']),
  ...alike(['Command.reason', 'CommandStep.reason']),
};

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
  'Car.score': ['Reading.score', ...WHOLE_SCORE],
  'Reading.score': ['Car.score', ...WHOLE_SCORE],
  'Score.ratio': SCORE,
  'Score.value': SCORE,
  'Score.anomalous': ['Rollup.anomalies'],
  ...alike(['Score.threshold', 'Model.threshold']),
  'Car.status': STATUS,
  'Car.freshness': ['Fleet.byFreshness', ...STALE, ...inCarFilters('freshness')],
  ...alike(['Fleet.byFreshness', ...STALE]),
  'Fleet.byFirmware': ['FleetDimension.FIRMWARE'],
  'Fleet.byFleet': ['FleetDimension.FLEET'],
  'Fleet.byModel': ['FleetDimension.MODEL'],
  'Fleet.byStatus': ['FleetDimension.STATUS'],
  'Fleet.score': ['FleetMeasure.SCORE'],
  'Fleet.top': ['FleetMeasure.SCORE', 'CarOrderField.SCORE'],
  // A twin's newest reading is the one that was seen last.
  ...alike(['Car.lastSeenAt', 'Car.reportedAt'], ['CarOrderField.LAST_SEEN']),
  ...alike(['Car.receivedAt', 'Reading.receivedAt']),
  ...alike(
    ['Car.source', 'Reading.source'],
    ['AnomalyEvent.partition', 'AnomalyEvent.offset', 'TimelineStep.partition', 'TimelineStep.offset'],
  ),
  'Car.counters': ['CarDiff.readings', 'Rollup.readings', 'AggregateBucket.readings'],
  'Counters.readings': ['CarDiff.readings', 'Rollup.readings', 'AggregateBucket.readings'],
  ...alike(['Counters.late', 'Reading.late']),
  ...alike(['ArrayScore.value', 'ArrayErrors.raw', 'ArrayErrors.standardised']),
  ...OF_ANOMALIES,
  ...OF_COMMANDS,
};
