import type { Twin } from '../twin/documents.js';
import { UNKNOWN_CAR, type CarState } from '../twin/twin-reads.js';

/**
 * What one partition's writer knows of its cars, the least recently used dropped first. It belongs to one (partition,
 * epoch): whoever takes over starts with an empty one.
 */
export class CarCache {
  readonly #cars = new Map<string, CarState>();

  constructor(
    private readonly limit: number,
    private readonly load: (cars: readonly string[]) => Promise<Map<string, CarState>>,
  ) {}

  /** The states of these cars, read where they are not known. May hold more than the limit until the next call. */
  async get(cars: Iterable<string>): Promise<Map<string, CarState>> {
    const wanted = new Set(cars);
    const missing = [...wanted].filter((car) => !this.#cars.has(car));
    const loaded = missing.length > 0 ? await this.load(missing) : new Map<string, CarState>();
    const found = new Map<string, CarState>();
    for (const car of wanted) {
      const state = this.#cars.get(car) ?? loaded.get(car) ?? UNKNOWN_CAR;
      found.set(car, state);
      this.#touch(car, state);
    }
    this.#trim(wanted.size);
    return found;
  }

  /** Takes what is known to be committed. */
  put(twins: readonly Twin[]): void {
    for (const twin of twins) {
      this.#touch(twin._id, { ...(this.#cars.get(twin._id) ?? UNKNOWN_CAR), twin });
    }
  }

  drop(cars: Iterable<string>): void {
    for (const car of cars) this.#cars.delete(car);
  }

  clear(): void {
    this.#cars.clear();
  }

  get size(): number {
    return this.#cars.size;
  }

  #touch(car: string, state: CarState): void {
    this.#cars.delete(car);
    this.#cars.set(car, state);
  }

  #trim(inUse: number): void {
    const limit = Math.max(this.limit, inUse);
    for (const car of this.#cars.keys()) {
      if (this.#cars.size <= limit) return;
      this.#cars.delete(car);
    }
  }
}
