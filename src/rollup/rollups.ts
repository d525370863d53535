import { STEPS, stretchesOf, windowStart, windowsBetween, type Step } from '../telemetry/window.js';
import type { Database } from '../twin/database.js';
import type { Figures, FleetRollupDocument } from '../twin/rollup-documents.js';
import { edge } from './roller.js';
import { Tally } from './tally.js';
import {
  carRollups,
  fleetRollups,
  marksBetween,
  mergeInto,
  tallyReadings,
  windowEnd,
  type ReadLimits,
} from './windows-read.js';

/** The figures of one window, of a car or of the fleet. */
export interface Rollup {
  /** Start of the window, ms. */
  readonly start: number;
  readonly figures: Figures;
  /** Cars with readings in the window; null where they were not counted: for a single car, and in hours not yet computed. */
  readonly cars: number | null;
  /** When it was computed; null where the answer was made from the readings just now. */
  readonly computedAt: Date | null;
}

export interface RollupsOptions {
  readonly clock: () => number;
  /** How long readings are kept, ms; null for ever. */
  readonly retention: number | null;
  readonly limits: ReadLimits;
}

/** Stretches without rollups that are looked at for readings. */
const MOST_STRETCHES = 100;

/** Windows whose rollups say what the history says, and those to be answered from the readings. */
interface Split {
  readonly computed: readonly FleetRollupDocument[];
  readonly open: readonly number[];
}

/**
 * Answers about windows, as exact as the history: computed windows from their rollups, those that were written to since, are
 * not over or were never computed from the readings.
 */
export class Rollups {
  constructor(
    private readonly database: Database,
    private readonly options: RollupsOptions,
  ) {}

  /**
   * The windows with readings among those that begin at `starts`, which rise; ms.
   * @param car all cars together when not given
   * @throws TooManyReadings
   */
  read(step: Step, starts: readonly number[], car?: string): Promise<Rollup[]> {
    return step === 'HOUR' ? this.#hours(starts, car) : this.#fiveMinutes(starts, car);
  }

  /**
   * Those windows' rollups, where they say all that the history says, or said while it was kept; null otherwise. A window
   * without a rollup is one without readings where none are found in it, and where they are no longer kept.
   */
  async computed(step: Step, starts: readonly number[]): Promise<readonly FleetRollupDocument[] | null> {
    const { computed, open } = await this.#split(step, starts);
    const { clock, retention, limits } = this.options;
    const keptBefore = edge(clock(), retention);
    const stretches = stretchesOf(
      open.filter((start) => start >= keptBefore),
      step,
    );
    if (stretches.length > MOST_STRETCHES) return null;
    for (const { from, to } of stretches) {
      const at = { $gte: new Date(from), $lt: new Date(to) };
      const options = { projection: { _id: 1 }, maxTimeMS: limits.time } as const;
      if (await this.database.collections.readings.findOne({ at }, options)) return null;
    }
    return computed;
  }

  async #fiveMinutes(starts: readonly number[], car?: string): Promise<Rollup[]> {
    const { computed, open } = await this.#split('FIVE_MINUTES', starts);
    const found = await this.#computed('FIVE_MINUTES', computed, car);
    for (const stretch of stretchesOf(open, 'FIVE_MINUTES'))
      for (const [start, cars] of await tallyReadings(this.database, stretch, car, this.options.limits)) {
        const all = new Tally();
        const count = mergeInto(all, cars);
        found.push({ start, figures: all.figures(), cars: car === undefined ? count : null, computedAt: null });
      }
    return found.sort(byStart);
  }

  async #hours(starts: readonly number[], car?: string): Promise<Rollup[]> {
    const { computed, open } = await this.#split('HOUR', starts);
    const found = await this.#computed('HOUR', computed, car);
    const parts = open.flatMap((start) => windowsBetween(start, windowEnd(start, 'HOUR'), 'FIVE_MINUTES'));
    const hours = new Map<number, Tally>();
    for (const { start, figures } of await this.#fiveMinutes(parts, car)) {
      const hour = windowStart(start, 'HOUR');
      const tally = hours.get(hour) ?? new Tally();
      hours.set(hour, tally);
      tally.addFigures(figures);
    }
    for (const [start, tally] of hours) found.push({ start, figures: tally.figures(), cars: null, computedAt: null });
    return found.sort(byStart);
  }

  async #computed(step: Step, windows: readonly FleetRollupDocument[], car?: string): Promise<Rollup[]> {
    const ofCar = car === undefined ? null : await carRollups(this.database, step, car, windows, this.options.limits);
    return windows.flatMap((window) => {
      const { at, computedAt } = window;
      const start = at.getTime();
      const figures = ofCar ? ofCar.get(start) : window;
      if (!figures || figures.readings === 0) return [];
      return [{ start, figures, cars: ofCar ? null : window.cars, computedAt }];
    });
  }

  /**
   * Marks are read before rollups: what is committed in between makes the answer newer, never wrong. Five-minute marks come
   * before those of hours, in the order in which the work moves on.
   */
  async #split(step: Step, starts: readonly number[]): Promise<Split> {
    const first = starts[0];
    const last = starts.at(-1);
    if (first === undefined || last === undefined) return { computed: [], open: [] };
    const { clock, retention, limits } = this.options;
    const end = last + STEPS[step];
    const marked = new Set<number>();
    for (const marks of ['FIVE_MINUTES', step] as const)
      for (const { at } of await marksBetween(this.database, marks, first, end, limits))
        marked.add(windowStart(at.getTime(), step));
    const rollups = await fleetRollups(this.database, step, starts, limits);
    const keptBefore = edge(clock(), retention);
    const computed = starts.flatMap((start) => {
      const rollup = rollups.get(start);
      return rollup && (start < keptBefore || !marked.has(start)) ? [rollup] : [];
    });
    const known = new Set(computed.map(({ at }) => at.getTime()));
    return { computed, open: starts.filter((start) => !known.has(start)) };
  }
}

const byStart = (one: Rollup, other: Rollup) => one.start - other.start;
