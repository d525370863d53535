import { EventEmitter, once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BrokerConnection, type ScriptedBroker, startScriptedBroker } from '../../test/scripted-broker.js';
import type { Held } from './acknowledgements.js';
import { MqttConnection, MqttError, type MqttMessage, type TakeMessage } from './mqtt-connection.js';

let broker: ScriptedBroker;
let messages: MqttMessage[];
let events: EventEmitter;
const opened: MqttConnection[] = [];

beforeEach(async () => {
  broker = await startScriptedBroker();
  messages = [];
  events = new EventEmitter();
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((connection) => connection.end()));
  await broker.close();
});

describe('MqttConnection', () => {
  it('goes on reading without a PUBACK until the message is released', async () => {
    const { connection, far } = await connected();
    far.publish(1, 'cars/a', 'one');
    far.publish(2, 'cars/a', 'two');
    await received(2);
    await far.ping();
    expect(far.pubacks).toEqual([]);
    release(0);
    await far.puback();
    expect(far.pubacks).toEqual([1]);
    expect(connection.sharesSubscriptions).toBe(true);
    expect(messages.map(({ payload }) => payload.toString())).toEqual(['one', 'two']);
  });

  it('sends PUBACKs in the order of the messages, whatever the order of release', async () => {
    const { far } = await connected();
    for (const id of [7, 8, 9]) far.publish(id, 'cars/a', String(id));
    await received(3);
    release(2);
    release(1);
    await far.ping();
    expect(far.pubacks).toEqual([]);
    release(0);
    await far.ping();
    expect(far.pubacks).toEqual([7, 8, 9]);
  });

  it('drops held PUBACKs when the connection closes, though the packet id is used again on the next one', async () => {
    const first = await connected();
    first.far.publish(1, 'cars/a', 'before');
    await received(1);
    first.far.cut();
    await first.connection.closed;
    expect(messages[0]?.source.open).toBe(false);
    const second = await connected();
    second.far.publish(1, 'cars/b', 'after');
    await received(2);
    release(0);
    await second.far.ping();
    expect(second.far.pubacks).toEqual([]);
    release(1);
    await second.far.puback();
    expect(second.far.pubacks).toEqual([1]);
  });

  it('takes a message once when the broker sends it twice on one connection', async () => {
    const { far } = await connected();
    far.publish(1, 'cars/a', 'one');
    far.publish(1, 'cars/a', 'one');
    far.publish(2, 'cars/a', 'two');
    await received(2);
    release(0);
    release(1);
    await far.ping();
    expect(messages).toHaveLength(2);
    expect(far.pubacks).toEqual([1, 2]);
  });

  it('stops reading until there is room, and stays alive meanwhile', async () => {
    let makeRoom = () => {};
    const room = new Promise<void>((resolve) => (makeRoom = resolve));
    const { connection, far } = await connected(() => (messages.length === 1 ? room : null));
    far.publish(1, 'cars/a', 'one');
    far.publish(2, 'cars/a', 'two');
    await received(1);
    // With a keep-alive of one second, silence would have ended the connection after one and a half.
    for (let pings = 0; pings < 3; pings += 1) await far.ping();
    expect(messages).toHaveLength(1);
    makeRoom();
    await received(2);
    release(0);
    await far.puback();
    await expect(Promise.race([connection.closed, Promise.resolve('open')])).resolves.toBe('open');
  });

  it.each([
    [1, 'PROTOCOL_VERSION'],
    [132, 'PROTOCOL_VERSION'],
    [135, 'REFUSED'],
  ])('says why the broker refused it: %i is %s', async (connack, code) => {
    const refusing = await startScriptedBroker({ connack });
    const opening = MqttConnection.open(optionsOf(refusing.port), 5, () => null, new AbortController().signal);
    await expect(opening).rejects.toMatchObject({ code });
    await refusing.close();
  });

  it.each([
    [158, 'SHARED_SUBSCRIPTION'],
    [135, 'REFUSED'],
    [0, 'REFUSED'],
  ])('says why the broker refused the subscription: %i is %s', async (suback, code) => {
    const refusing = await startScriptedBroker({ suback });
    const connection = await MqttConnection.open(optionsOf(refusing.port), 5, () => null, new AbortController().signal);
    await expect(connection.subscribe('$share/group/cars/#')).rejects.toMatchObject({ code });
    await connection.end();
    await refusing.close();
  });

  it('says that nobody is there', async () => {
    const { port } = broker;
    await broker.close();
    const opening = MqttConnection.open(optionsOf(port), 5, () => null, new AbortController().signal);
    await expect(opening).rejects.toEqual(expect.objectContaining({ code: 'UNREACHABLE' }));
    await expect(opening).rejects.toBeInstanceOf(MqttError);
  });
});

async function connected(
  room: TakeMessage = () => null,
): Promise<{ connection: MqttConnection; far: BrokerConnection }> {
  const take: TakeMessage = (message) => {
    messages.push(message);
    events.emit('message');
    return room(message);
  };
  const connection = await MqttConnection.open(optionsOf(broker.port), 5, take, new AbortController().signal);
  opened.push(connection);
  const next = broker.next();
  await connection.subscribe('cars/#');
  return { connection, far: await next };
}

function optionsOf(port: number) {
  return { url: `mqtt://127.0.0.1:${port}`, clientId: 'spec', sessionExpiry: 60, receiveMaximum: 10, keepalive: 1 };
}

async function received(count: number): Promise<void> {
  while (messages.length < count) await once(events, 'message');
}

function release(index: number): void {
  const message = messages[index] as MqttMessage;
  message.source.release(message.held as Held);
}
