import { describe, expect, it } from 'vitest';
import { readSettings, settingsTable } from './settings.js';

describe('readSettings', () => {
  it('gives a frozen object of defaults for an empty environment', () => {
    const settings = readSettings({});
    expect(settings).toMatchObject({
      ROLES: ['bridge', 'ingest', 'api'],
      KAFKA_BROKERS: ['127.0.0.1:9092'],
      TOPIC_PARTITIONS: 10,
    });
    expect(Object.isFrozen(settings)).toBe(true);
  });

  it('names every bad variable in one message', () => {
    const bad = {
      ROLES: 'ingest,cook',
      HTTP_PORT: '70000',
      MQTT_URL: 'http://x',
      EPISODE_OPEN: '9',
      KAFKA_BROKERS: 'nowhere',
    };
    const message = messageOf(() => readSettings(bad));
    for (const name of ['ROLES', 'HTTP_PORT', 'MQTT_URL', 'KAFKA_BROKERS']) expect(message).toContain(name);
  });

  it('checks settings against each other', () => {
    expect(messageOf(() => readSettings({ EPISODE_OPEN: '9' }))).toContain('EPISODE_OPEN: is above EPISODE_WINDOW (5)');
    expect(messageOf(() => readSettings({ OFFLINE_AFTER: '5' }))).toContain('OFFLINE_AFTER: is below STALE_AFTER');
    expect(messageOf(() => readSettings({ NORMALISED_TOPIC: 'sensor-data' }))).toContain('the same as SENSOR_TOPIC');
  });

  it('takes masks whose names are those of GraphQL', () => {
    const MASKED_FIELDS = 'viewer:Signals.tirePressure11,operator:Some_Type._x';
    expect(readSettings({ MASKED_FIELDS }).MASKED_FIELDS).toBe(MASKED_FIELDS);
    for (const bad of ['viewer:speed', 'admin:Car.id', ',viewer:Car.id', 'viewer:Car.id,', 'viewer:Car.1'])
      expect(
        messageOf(() => readSettings({ MASKED_FIELDS: bad })),
        bad,
      ).toContain('MASKED_FIELDS: is no list');
  });

  it('takes array topics with the folders of their models, and names what it cannot take', () => {
    expect(readSettings({ ARRAY_TOPICS: 'ecg-data=models/ecg, other=/a/b=c' }).ARRAY_TOPICS).toEqual([
      { topic: 'ecg-data', dir: 'models/ecg' },
      { topic: 'other', dir: '/a/b=c' },
    ]);
    expect(readSettings({ ARRAY_TOPICS: '' }).ARRAY_TOPICS).toBeUndefined();
    for (const bad of ['ecg', 'ecg=', '=models/ecg', 'two words=x', ',', 'a=x,a=y', 'sensor-data=x'])
      expect(
        messageOf(() => readSettings({ ARRAY_TOPICS: bad })),
        bad,
      ).toContain('ARRAY_TOPICS: ');
  });

  it('takes an empty variable for one that is not set', () => {
    expect(readSettings({ HTTP_PORT: '', SCHEMA_REGISTRY_URL: '' }).HTTP_PORT).toBe(4000);
  });

  it.each(['#', 'vehicles/#', 'vehicles/+/+/answer', '+/+/#', 'vehicles/commands/+/answer'])(
    'does not let sensor data take the answers to commands: %s',
    (MQTT_TOPIC) => {
      expect(() => readSettings({ MQTT_TOPIC })).toThrow(/MQTT_TOPIC: takes the answers/);
      expect(readSettings({ MQTT_TOPIC, COMMANDS: 'off' }).MQTT_TOPIC).toBe(MQTT_TOPIC);
    },
  );

  it.each(['vehicles/sensor/data/#', 'vehicles/+/answer', 'vehicles/commands/+', 'fleet/#'])(
    'lets sensor data have a filter beside them: %s',
    (MQTT_TOPIC) => expect(readSettings({ MQTT_TOPIC }).COMMANDS).toBe('on'),
  );
});

describe('settingsTable', () => {
  it('has a default and a purpose for every setting', () => {
    for (const [name, , unit, purpose] of settingsTable()) {
      expect(purpose, name).toMatch(/.{10}/);
      expect(unit, name).not.toBe('');
    }
  });
});

function messageOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return (error as Error).message;
  }
  return 'nothing was thrown';
}
