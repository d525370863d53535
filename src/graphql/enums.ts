import { registerEnumType } from '@nestjs/graphql';
import { FRESHNESSES } from '../fleet/freshness.js';
import { SIGNALS } from '../telemetry/signals.js';
import { MODEL_ROLES } from '../registry/lifecycle.js';
import { DRIFT_VERDICTS } from '../score/drift.js';
import { STEPS, type Step } from '../telemetry/window.js';
import { COMMAND_STATUSES } from '../twin/command-documents.js';
import { EPISODE_EVENTS, SEVERITIES, STATUSES } from '../twin/documents.js';
import { EPISODE_KINDS } from '../twin/episode-kind.js';
import { HANDLING_EVENTS, LABELS } from '../twin/handling-documents.js';
import { enumOf } from './enum-of.js';

const described = (texts: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(texts).map(([name, description]) => [name, { description }]));

export const CarStatus = enumOf(STATUSES);
registerEnumType(CarStatus, {
  name: 'CarStatus',
  description: 'How a car fares, by its last readings.',
  valuesMap: described({
    NORMAL: 'No reading above the threshold of late.',
    SUSPECT: 'Some readings above the threshold, not yet enough for an anomaly.',
    ANOMALOUS: 'An anomaly is open that is not merely a notice.',
  }),
});

export const CarFreshness = enumOf(FRESHNESSES);
registerEnumType(CarFreshness, {
  name: 'CarFreshness',
  description: 'How long ago a car was last seen, by the clock of the service when it answers.',
  valuesMap: described({
    LIVE: 'Seen within STALE_AFTER (60 s unless set otherwise).',
    STALE: 'Not seen within STALE_AFTER.',
    OFFLINE: 'Not seen within OFFLINE_AFTER (600 s unless set otherwise).',
  }),
});

export const SignalName = enumOf(SIGNALS.map(({ name }) => name));
registerEnumType(SignalName, {
  name: 'SignalName',
  description: 'A signal of a car.',
  valuesMap: described(Object.fromEntries(SIGNALS.map(({ name, title, unit }) => [name, `${title}, ${unit}.`]))),
});

export const AnomalyKind = enumOf(EPISODE_KINDS);
registerEnumType(AnomalyKind, {
  name: 'AnomalyKind',
  description: 'What an anomaly is about: the group of the signal that is blamed most.',
  valuesMap: described({
    FIRMWARE_OUTDATED: "A notice: always MINOR, and the car's status is not touched by it.",
    NO_DATA: 'The car has sent nothing new for EPISODE_NO_DATA (an hour unless set otherwise): a notice, too.',
  }),
});

export const AnomalySeverity = enumOf(SEVERITIES);
registerEnumType(AnomalySeverity, {
  name: 'AnomalySeverity',
  description: 'By the ratio of score to threshold, in rising order.',
});

export const AnomalyStatus = enumOf(['OPEN', 'CLEARED'] as const);
registerEnumType(AnomalyStatus, { name: 'AnomalyStatus', description: 'Whether an anomaly goes on.' });

export const AnomalyEventType = enumOf([...EPISODE_EVENTS, ...HANDLING_EVENTS]);
registerEnumType(AnomalyEventType, {
  name: 'AnomalyEventType',
  description: 'What happened to an anomaly, or was done with it.',
});

export const AnomalyLabel = enumOf(LABELS);
registerEnumType(AnomalyLabel, {
  name: 'AnomalyLabel',
  description: 'What an anomaly turned out to be. `fleet-twin thresholds suggest` learns from it.',
  valuesMap: described({
    TRUE: 'Something was wrong with the car.',
    FALSE: 'Nothing was wrong.',
    KNOWN: 'Something was, but it is known: no example of either.',
  }),
});

export const CommandStatusEnum = enumOf(COMMAND_STATUSES);
registerEnumType(CommandStatusEnum, {
  name: 'CommandStatus',
  description: 'Where a command to a car is; the last three are its end.',
  valuesMap: described({
    QUEUED: 'It waits for a bridge.',
    SENT: 'The MQTT broker has it; it is published again until the car answers.',
    ACCEPTED: 'The car says that it follows it.',
    REJECTED: 'The car says that it does not.',
    EXPIRED: 'No answer within COMMAND_EXPIRY, or a newer one came before it was sent: the reason says which.',
  }),
});

export const CarOrderField = enumOf(['SCORE', 'LAST_SEEN', 'ID'] as const);
registerEnumType(CarOrderField, {
  name: 'CarOrderField',
  description: 'What cars are ordered by.',
  valuesMap: described({
    SCORE: 'Score divided by threshold, so that scores of different models compare; a ranking up to 2 s old.',
    LAST_SEEN: 'Event time of the newest reading; a ranking up to 2 s old.',
    ID: 'Car id, byte by byte; a list up to 2 s old.',
  }),
});

export const OrderDirection = enumOf(['ASC', 'DESC'] as const);
registerEnumType(OrderDirection, {
  name: 'OrderDirection',
  description: 'Rising or falling. Car ids rise within equal values either way.',
});

export const RollupStep = enumOf(Object.keys(STEPS) as Step[]);
registerEnumType(RollupStep, {
  name: 'RollupStep',
  description: 'Length of the windows of rollups; they begin at whole steps since 1970, UTC.',
  valuesMap: described({ FIVE_MINUTES: 'Five minutes.', HOUR: 'An hour.' }),
});

export const ModelRoleEnum = enumOf(MODEL_ROLES);
registerEnumType(ModelRoleEnum, {
  name: 'ModelRole',
  description: 'What a registered model does.',
  valuesMap: described({
    CHAMPION: 'Its scores count.',
    SHADOW: 'It scores beside the champion and raises nothing.',
    IDLE: 'It does not score, and may be activated.',
    RETIRED: 'It may not be used any more.',
  }),
});

export const DriftVerdictEnum = enumOf(DRIFT_VERDICTS);
registerEnumType(DriftVerdictEnum, {
  name: 'DriftVerdict',
  description: 'What a population stability index means, by the customary limits.',
  valuesMap: described({
    STABLE: 'Below 0.1.',
    MOVED: 'From 0.1 on.',
    FOREIGN: 'From 0.25 on.',
  }),
});
