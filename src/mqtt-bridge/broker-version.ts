import { MqttConnection, MqttError, type MqttOptions } from './mqtt-connection.js';

const TOPIC = '$SYS/broker/version';
/** ms */
const TIMEOUT = 5_000;

/**
 * What the broker says of itself ("mosquitto version 2.0.11"); null when it says nothing there, or not to us.
 *
 * Asked on a connection of its own whose session ends with it: in the bridge's session the answer would wait behind
 * everything that is queued there, or be dropped with a full queue. The broker answers packets in order, so the retained
 * message has come before the answer to the UNSUBSCRIBE that follows, and nobody has to wait for one that does not come.
 *
 * @throws MqttError UNREACHABLE when there is no answer; what the signal was aborted with
 */
export async function brokerVersion(options: MqttOptions, signal: AbortSignal): Promise<string | null> {
  const asker = { ...options, clientId: `${options.clientId}-version`, sessionExpiry: 0 };
  const late = AbortSignal.timeout(TIMEOUT);
  try {
    return await ask(asker, AbortSignal.any([signal, late]));
  } catch (error) {
    signal.throwIfAborted();
    if (late.aborted) throw new MqttError('UNREACHABLE', `the broker did not say within ${TIMEOUT} ms what it is`);
    if (error instanceof MqttError && error.code !== 'UNREACHABLE') return null;
    throw error;
  }
}

async function ask(options: MqttOptions, signal: AbortSignal): Promise<string | null> {
  let version: string | null = null;
  const take = ({ topic, payload }: { topic: string; payload: Buffer }): null => {
    if (topic === TOPIC) version = payload.toString();
    return null;
  };
  const connection = await MqttConnection.open(options, 5, take, signal);
  const end = (): void => void connection.end();
  signal.addEventListener('abort', end, { once: true });
  try {
    await connection.subscribe(TOPIC);
    await connection.unsubscribe(TOPIC);
    return version;
  } finally {
    signal.removeEventListener('abort', end);
    await connection.end();
  }
}
