import { ProduceError, type RefusedRecord } from './out-record.js';

/** One call of `send`: settled when all of its records are. */
export class Ticket {
  readonly promise: Promise<void>;
  settled = false;
  readonly #refused: RefusedRecord[] = [];
  #left: number;
  #resolve!: () => void;
  #reject!: (reason: unknown) => void;

  constructor(records: number) {
    this.#left = records;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  acknowledged(): void {
    this.#left -= 1;
    if (this.#left === 0) this.#settle();
  }

  refused(refused: RefusedRecord): void {
    this.#refused.push(refused);
    this.acknowledged();
  }

  fail(reason: unknown): void {
    if (this.settled) return;
    this.settled = true;
    this.#reject(reason);
  }

  #settle(): void {
    const first = this.#refused[0];
    if (first === undefined) {
      this.settled = true;
      this.#resolve();
      return;
    }
    const message = `Kafka refused ${this.#refused.length} records: ${first.reason} (${first.record.topic})`;
    this.fail(new ProduceError('RECORDS_REFUSED', message, this.#refused));
  }
}
