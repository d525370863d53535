import { createHash } from 'node:crypto';
import type { OutRecord } from '../kafka/out-record.js';
import type { Carried } from './backlog.js';

/** Messages that the bridge has and that the broker may send again, since the connection closed before their PUBACKs. */
export class Orphans {
  readonly #byContent = new Map<string, Carried[]>();

  replace(messages: readonly Carried[]): void {
    this.#byContent.clear();
    for (const message of messages)
      if (message.held !== null && !message.source.open) {
        const content = contentOf(message.record);
        this.#byContent.set(content, [...(this.#byContent.get(content) ?? []), message]);
      }
  }

  /** The first one with this content, which is none any more. */
  take(record: OutRecord): Carried | null {
    if (this.#byContent.size === 0) return null;
    const message = this.#byContent.get(contentOf(record))?.[0];
    if (message === undefined) return null;
    this.delete(message);
    return message;
  }

  /** It is in Kafka. */
  delete(message: Carried): void {
    if (this.#byContent.size === 0) return;
    const content = contentOf(message.record);
    const left = this.#byContent.get(content)?.filter((one) => one !== message) ?? [];
    if (left.length === 0) this.#byContent.delete(content);
    else this.#byContent.set(content, left);
  }
}

/** Topic and payload, as the broker sends them again: not the time at which they came. */
function contentOf({ headers, value }: OutRecord): string {
  const hash = createHash('sha256').update(String(headers?.['mqtt-topic'])).update('\0');
  return hash.update(value ?? '').digest('base64');
}
