import { brokerVersion } from './broker-version.js';
import { type MqttConnection, MqttError, type MqttOptions } from './mqtt-connection.js';

export type SubscriptionMode = 'auto' | 'shared' | 'plain';

export interface SubscriptionOptions extends MqttOptions {
  readonly shareGroup: string;
  /** auto when not given */
  readonly subscription?: SubscriptionMode;
}

interface Choice {
  readonly form: 'shared' | 'plain';
  readonly note: string;
}

export interface Subscribed {
  readonly filter: string;
  /** What there is to know about it; empty when nothing. */
  readonly note: string;
}

const SHARED: Choice = { form: 'shared', note: '' };
const NOT_THERE = 'the broker has no shared subscriptions: run one bridge only';

/**
 * mosquitto writes a session's plain subscriptions to its disk and not its shared ones: after a restart it knows the
 * session, and acknowledges what cars publish without keeping it for anybody until the bridge subscribes again. So it is in
 * every version up to 2.1.2, the newest when this was written (`persist__subs_save` in its persist_write.c).
 */
const FORGETTING = /^mosquitto version /;
const COST =
  'with MQTT_SUBSCRIPTION=shared more may run, and what cars publish between a restart of the broker and their return is lost';

/**
 * What the bridge subscribes to: `$share/<group>/<filter>`, which bridges share, or the filter itself, which one bridge has
 * for itself. The new form is subscribed to before the other is given up, since the session may hold that from before: what
 * comes twice meanwhile is known by its reading, what does not come would be lost.
 */
export class Subscription {
  readonly #options: SubscriptionOptions & { readonly filter: string };
  #choice: Choice | null = null;
  #sure = false;

  constructor(options: SubscriptionOptions & { readonly filter: string }) {
    this.#options = options;
  }

  /**
   * Asks the broker for what it is, the first time.
   * @throws MqttError UNREACHABLE
   */
  async choose(signal: AbortSignal): Promise<void> {
    if (this.#choice !== null) return;
    this.#choice = await this.#find(signal);
    this.#sure = true;
  }

  /** The broker has lost the session, so it may be another one than before. */
  doubt(): void {
    this.#sure = false;
  }

  /**
   * Subscribes as before and, when that is in doubt, asks again afterwards: until it is subscribed the broker keeps nothing.
   * @throws MqttError
   */
  async subscribe(connection: MqttConnection, signal: AbortSignal): Promise<Subscribed> {
    const before = this.#choice ?? SHARED;
    const subscribed = await this.#take(before, connection);
    if (this.#sure) return subscribed;
    const choice = await this.#find(signal);
    this.#choice = choice;
    this.#sure = true;
    return choice.form === before.form ? subscribed : this.#take(choice, connection);
  }

  async #take({ form, note }: Choice, connection: MqttConnection): Promise<Subscribed> {
    const { shareGroup, filter } = this.#options;
    const shared = `$share/${shareGroup}/${filter}`;
    const isShared = form === 'shared' && (await subscribedShared(connection, shared));
    if (!isShared) await connection.subscribe(filter);
    // Nothing depends on the answer, which comes late when the broker has much to send.
    connection.unsubscribe(isShared ? filter : shared).catch(() => undefined);
    return isShared ? { filter: shared, note: '' } : { filter, note: note || NOT_THERE };
  }

  async #find(signal: AbortSignal): Promise<Choice> {
    const { subscription = 'auto' } = this.#options;
    if (subscription === 'shared') return SHARED;
    if (subscription === 'plain') return { form: 'plain', note: 'MQTT_SUBSCRIPTION is plain: run one bridge only' };
    const version = await brokerVersion(this.#options, signal);
    if (version === null || !FORGETTING.test(version)) return SHARED;
    const note = `${version} forgets shared subscriptions when it restarts: run one bridge only; ${COST} (docs/mqtt.md)`;
    return { form: 'plain', note };
  }
}

/** False when the broker has no shared subscriptions, or turns out not to. */
async function subscribedShared(connection: MqttConnection, filter: string): Promise<boolean> {
  if (!connection.sharesSubscriptions) return false;
  try {
    await connection.subscribe(filter);
    return true;
  } catch (error) {
    if (error instanceof MqttError && error.code === 'SHARED_SUBSCRIPTION') return false;
    throw error;
  }
}
