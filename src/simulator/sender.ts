/** A way to a broker that keeps every message until the broker has acknowledged it. There are two: MQTT and Kafka. */
export interface Sender {
  /** Why the broker cannot be reached at the moment; null when it can. */
  readonly trouble: string | null;

  /**
   * Connects; once that has worked, it is done again whenever needed. Returns early when woken.
   *
   * @throws PublishError when the broker refuses, or after `patience` ms of trying
   */
  open(patience: number): Promise<void>;

  /** Takes a message of a car whatever the room is: ask for `room` before. Those of a car arrive in the order of the calls. */
  send(car: string, payload: Buffer): void;

  /** null when there is room; else resolves when there is again, or when woken. One waiter at a time. */
  room(): Promise<void> | null;

  /** Resolves when everything is acknowledged, or when woken. @throws PublishError what the broker will never take */
  drained(): Promise<void>;

  /** Lets the one who waits for room or for the end go on. */
  wake(): void;

  /** Closes, and forgets what is unacknowledged. May be called twice. */
  end(): Promise<void>;
}

export class PublishError extends Error {
  override readonly name = 'PublishError';

  constructor(
    readonly code: 'UNREACHABLE' | 'REFUSED',
    message: string,
  ) {
    super(message);
  }
}
