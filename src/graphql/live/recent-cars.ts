import type { CarPlace } from './car-place.js';
import { reaches } from './resume-token.js';

/** A car that changed, and when. */
export type CarChange = readonly [id: string, at: string];

/**
 * All changes behind the time are known, and all behind the token. Many may share one time, as those of one transaction do:
 * of those at the time itself only the ones behind the token are known.
 */
export type Horizon = Pick<CarPlace, 'at' | 'token'>;

/** The cars that changed behind a token, the latest change of each, and when the first change was. */
export interface Replay {
  readonly token: string;
  readonly first: string | null;
  readonly changes: readonly CarChange[];
}

/** Which cars changed since when, the latest change per car, oldest first. Bounded: what falls out moves the horizon. */
export class RecentCars {
  private changed = new Map<string, string>();
  private latest: string;

  constructor(
    private begin: Horizon,
    private readonly capacity: number,
  ) {
    this.latest = begin.at;
  }

  /** Another object whenever it moved. */
  get horizon(): Horizon {
    return this.begin;
  }

  note(id: string, at: string): void {
    if (at > this.latest) this.latest = at;
    this.changed.delete(id);
    this.changed.set(id, at);
    this.forget();
  }

  /** Takes in what the change stream told up to what is known already, which is at least as new. */
  extend({ token, first, changes }: Replay): void {
    const earlier = changes.filter(([id]) => !this.changed.has(id));
    const { at } = this.begin;
    // The time that a cursor came with says nothing: it may be forged.
    this.begin = { at: first !== null && first < at ? first : at, token };
    this.changed = new Map([...earlier, ...this.changed]);
    this.forget();
  }

  /** The newest time that is known of. */
  get now(): string {
    return this.latest;
  }

  knows({ at, token }: Horizon): boolean {
    return at > this.begin.at || reaches(token, this.begin.token);
  }

  /** Every car that changed at the time of a place or behind it, with the time; null when that is not known. */
  since(place: Horizon): CarChange[] | null {
    return this.knows(place) ? [...this.changed].filter(([, time]) => time >= place.at) : null;
  }

  private forget(): void {
    while (this.changed.size > this.capacity) {
      const [oldest] = this.changed;
      if (!oldest) return;
      const [id, at] = oldest;
      this.changed.delete(id);
      this.begin = { at: at > this.begin.at ? at : this.begin.at, token: null };
    }
  }
}
