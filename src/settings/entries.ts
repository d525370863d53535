import { z } from 'zod';
import { ACCESS_ENTRIES } from './access-entries.js';
import { API_ENTRIES } from './api-entries.js';
import { COMMAND_ENTRIES } from './command-entries.js';
import { entry, listOf, ratio, splitList, text, whole } from './entry.js';

const topic = z.string().regex(/^[A-Za-z0-9._-]{1,249}$/, 'is not a Kafka topic name');
const topicName = (fallback: string) => topic.default(fallback);

/** `topic=folder` */
const arrayTopic = z.string().transform((text, context) => {
  const [name = '', ...rest] = text.split('=');
  const [parsed, dir] = [topic.safeParse(name.trim()), rest.join('=').trim()];
  if (parsed.success && dir !== '') return { topic: parsed.data, dir };
  context.addIssue({ code: 'custom', message: `${text} is not topic=folder` });
  return z.NEVER;
});

/** Every setting of the service, in the order of the data's way. */
export const ENTRIES = {
  ROLES: entry(
    listOf(z.enum(['bridge', 'ingest', 'api']), 'bridge,ingest,api'),
    'list',
    'What this process does: any of bridge, ingest, api',
  ),
  LOG_LEVEL: entry(
    z.enum(['error', 'warn', 'info', 'debug']).default('info'),
    '–',
    'The least severe log lines that are written',
  ),
  HTTP_HOST: entry(text('127.0.0.1'), 'address', 'Address that GraphQL, probes and metrics listen on'),
  HTTP_PORT: entry(whole(4000, 0, 65_535), 'port', 'Port of GraphQL, probes and metrics; 0 takes a free one'),

  MQTT_URL: entry(
    z
      .string()
      .regex(/^(mqtts?|wss?|tcp|ssl):\/\//, 'is not an MQTT address')
      .default('mqtt://127.0.0.1:1883'),
    'URL',
    'The MQTT broker',
  ),
  MQTT_CLIENT_ID: entry(
    text('fleet-twin-bridge'),
    '–',
    'Client id of the bridge: one per bridge process, kept over restarts (the persistent session hangs on it)',
  ),
  MQTT_SUBSCRIPTION: entry(
    z.enum(['auto', 'shared', 'plain']).default('auto'),
    '–',
    'auto: shared, so that bridges share the load, but plain at a broker that forgets shared subscriptions when it restarts (mosquitto) or has none; with plain, run one bridge only (docs/mqtt.md)',
  ),
  MQTT_SHARE_GROUP: entry(text('fleet-twin'), '–', 'Group of the shared subscription that all bridges join'),
  MQTT_TOPIC: entry(
    text('vehicles/sensor/data/#'),
    'filter',
    'Topic filter of the sensor messages; the last segment of a topic is the car id',
  ),
  MQTT_SESSION_EXPIRY: entry(whole(86_400, 60), 's', 'How long the broker keeps the session of a bridge that is away'),
  MQTT_RECEIVE_MAXIMUM: entry(
    whole(2_000, 1, 65_535),
    'messages',
    'Messages that may be in the bridge without having been acknowledged',
  ),
  BRIDGE_LINGER: entry(whole(5, 0, 1_000), 'ms', 'How long the bridge waits for more messages before it produces'),
  BRIDGE_BATCH: entry(whole(1_000, 1), 'records', 'Largest number of records in one produce request'),
  BRIDGE_MAX_BODY: entry(
    whole(900_000, 1_024),
    'bytes',
    'Largest message that goes into the sensor topic; larger ones are cut into the dead letters',
  ),

  KAFKA_BROKERS: entry(
    listOf(z.string().regex(/^.+:\d+$/, 'is not host:port'), '127.0.0.1:9092'),
    'list',
    'Kafka bootstrap brokers',
  ),
  KAFKA_CLIENT_ID: entry(text('fleet-twin'), '–', 'Client id towards Kafka'),
  KAFKA_GROUP_ID: entry(text('fleet-twin-ingest'), '–', 'Consumer group of the ingest processes'),
  KAFKA_SESSION_TIMEOUT: entry(
    whole(30_000, 6_000, 300_000),
    'ms',
    'After this silence a consumer loses its partitions',
  ),
  KAFKA_CONCURRENT_PARTITIONS: entry(
    whole(4, 1, 100),
    'partitions',
    'Partitions whose batches one ingest process works on at a time',
  ),
  KAFKA_FETCH_BYTES: entry(whole(1_572_864, 65_536), 'bytes', 'Most bytes that are fetched per partition at once'),
  KAFKA_FETCH_WAIT: entry(whole(100, 1, 5_000), 'ms', 'How long a fetch waits for records'),
  SENSOR_TOPIC: entry(topicName('sensor-data'), 'topic', 'What the cars sent, bytes untouched, keyed by car id'),
  PREDICTIONS_TOPIC: entry(topicName('model-predictions'), 'topic', 'A score for every reading'),
  ANOMALIES_TOPIC: entry(topicName('car-anomalies'), 'topic', 'Events of anomaly episodes'),
  MODEL_UPDATES_TOPIC: entry(topicName('model-updates'), 'topic', 'Which version of each model is in use; compacted'),
  NORMALISED_TOPIC: entry(
    topic.optional(),
    'topic',
    'Every stored reading as canonical Avro (schemas/car-reading.avsc), like sensor-data-avro; not set: none',
  ),
  ARRAY_TOPICS: entry(
    z.string().transform(splitList).pipe(z.array(arrayTopic).min(1)).optional(),
    'topic=folder, …',
    'Topics of arrays, each with the folder of the model that scores it (docs/bring-your-own-model.md); off when not given',
  ),
  DEAD_LETTER_TOPIC: entry(topicName('sensor-data-dlq'), 'topic', 'Records that could not be taken, with the reason'),
  TOPIC_PARTITIONS: entry(whole(10, 1, 10_000), 'partitions', 'Partitions of a topic that is created at start'),
  TOPIC_REPLICATION: entry(whole(1, 1, 9), 'replicas', 'Replicas of a topic that is created at start'),
  TOPIC_RETENTION: entry(whole(168, 1), 'h', 'Retention of a topic that is created at start'),

  SENSOR_FORMAT: entry(
    z.enum(['auto', 'avro']).default('auto'),
    '–',
    'auto: JSON or framed Avro, told apart by the first byte; avro: the topic carries plain Avro',
  ),
  SCHEMA_REGISTRY_URL: entry(
    z.url({ protocol: /^https?$/ }).optional(),
    'URL',
    'Confluent-compatible schema registry; without it only the schemas of schemas/ are known',
  ),
  MAX_BODY: entry(whole(262_144, 1_024), 'bytes', 'A larger record body is rejected'),
  CLOCK_AHEAD: entry(
    whole(300, 1),
    's',
    'A reading further ahead of its Kafka record than this takes the time of the record',
  ),

  MODEL_DIR: entry(text('models/default'), 'folder', 'Folder of the model that scores'),
  TF_BACKEND: entry(
    z.enum(['auto', 'native', 'wasm']).default('auto'),
    '–',
    'TensorFlow backend; auto takes native where it loads, WebAssembly otherwise',
  ),
  SCORE_EVALUATOR: entry(
    z.enum(['auto', 'tensorflow']).default('auto'),
    '–',
    'auto: vector code scores when it gives what TensorFlow gives for the model; tensorflow: TensorFlow scores',
  ),
  EPISODE_WINDOW: entry(
    whole(5, 1, 50),
    'readings',
    'n: an episode opens after k of the last n readings lay above the threshold',
  ),
  EPISODE_OPEN: entry(whole(3, 1, 50), 'readings', 'k: see EPISODE_WINDOW'),
  EPISODE_CLEAR: entry(
    whole(5, 1, 1_000),
    'readings',
    'm: an episode clears after m readings in a row below the hysteresis band',
  ),
  EPISODE_HYSTERESIS: entry(
    ratio(0.9, 0.1, 1),
    'of the threshold',
    'A reading counts towards clearing below this fraction of the threshold',
  ),
  EPISODE_MAJOR: entry(ratio(2, 1, 1e6), 'of the threshold', 'Score ratio from which an episode is MAJOR'),
  EPISODE_CRITICAL: entry(ratio(5, 1, 1e6), 'of the threshold', 'Score ratio from which an episode is CRITICAL'),
  EPISODE_DOWNGRADE: entry(
    whole(600, 1),
    's',
    'An open episode falls by one severity when its present severity was not reached for this long',
  ),
  EPISODE_NO_DATA: entry(
    whole(3_600, 0),
    's',
    'A car that has sent nothing new for this long, by its own clock, gets an episode NO_DATA; 0: none does',
  ),

  MONGODB_URI: entry(
    z
      .string()
      .regex(/^mongodb(\+srv)?:\/\//, 'is not a MongoDB address')
      .default('mongodb://127.0.0.1:27017/?directConnection=true'),
    'URL',
    'MongoDB; a replica set (one node will do)',
  ),
  MONGODB_DATABASE: entry(
    z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,38}$/, 'is not a database name')
      .default('fleet'),
    '–',
    'Database of the service',
  ),
  HISTORY_RETENTION: entry(whole(90, 0), 'days', 'How long readings are kept; 0 keeps them for ever'),
  ROLLUP_RETENTION: entry(whole(90, 0), 'days', 'How long five-minute rollups are kept; 0 keeps them for ever'),
  ROLLUP_HOUR_RETENTION: entry(whole(0, 0), 'days', 'How long hourly rollups are kept; 0 keeps them for ever'),
  BATCH_RECORDS: entry(whole(2_000, 1, 2_000), 'records', 'Most records in one MongoDB transaction'),
  TWIN_CACHE: entry(whole(200_000, 100), 'twins', 'Most twins that one ingest process keeps in memory'),

  ...COMMAND_ENTRIES,

  ...API_ENTRIES,

  ...ACCESS_ENTRIES,
} as const;
