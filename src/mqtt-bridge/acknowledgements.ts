/** The PUBACK that is owed for one message. */
export interface Held {
  readonly packetId: number;
  due: boolean;
}

/**
 * The PUBACKs that one connection owes. They belong to that connection and end with it: packet ids are used again on the
 * next one, and the broker sends the messages again there [MQTT-4.4.0-1]. They go out in the order in which the messages
 * came [MQTT-4.6.0-2], those of one batch in one write, in the form that MQTT 3.1.1 and 5 share (success, no properties).
 */
export class Acknowledgements {
  readonly #write: (packets: Buffer) => void;
  readonly #ids = new Set<number>();
  #owed: Held[] = [];
  #open = true;
  #scheduled = false;

  constructor(write: (packets: Buffer) => void) {
    this.#write = write;
  }

  /** False once the connection has closed. */
  get open(): boolean {
    return this.#open;
  }

  /** null when the PUBACK for this packet id is owed already: the broker sent the message twice on one connection. */
  hold(packetId: number): Held | null {
    if (this.#ids.has(packetId)) return null;
    this.#ids.add(packetId);
    const held = { packetId, due: false };
    this.#owed.push(held);
    return held;
  }

  /** Kafka has the message. */
  release(held: Held): void {
    held.due = true;
    if (this.#scheduled || !this.#open) return;
    this.#scheduled = true;
    queueMicrotask(() => this.#flush());
  }

  /** The connection has closed. */
  drop(): void {
    this.#open = false;
    this.#owed = [];
    this.#ids.clear();
  }

  #flush(): void {
    this.#scheduled = false;
    if (!this.#open) return;
    const pending = this.#owed.findIndex(({ due }) => !due);
    const due = this.#owed.splice(0, pending === -1 ? this.#owed.length : pending);
    if (due.length === 0) return;
    for (const { packetId } of due) this.#ids.delete(packetId);
    this.#write(pubacks(due));
  }
}

function pubacks(due: readonly Held[]): Buffer {
  const packets = Buffer.allocUnsafe(due.length * 4);
  for (const [index, { packetId }] of due.entries()) {
    packets.writeUInt16BE(0x4002, index * 4);
    packets.writeUInt16BE(packetId, index * 4 + 2);
  }
  return packets;
}
