import type { Collection, Filter } from 'mongodb';
import type { Twin } from '../twin/documents.js';
import { JointAnswer } from './joint-answer.js';
import { type Place, type RankingOrder, firstBehind, readPlaces } from './ranking.js';
import type { Turns } from './turns.js';

/** So many places are read in one pass; further pages come out of them until they are old. */
export const BLOCK_PLACES = 5_000;
/** A block is used for this long, ms: how far a ranking may lag behind the cars. */
export const BLOCK_AGE = 2_000;
/** Blocks that are kept at most: one per filter, order and starting place. */
const BLOCKS = 50;

interface Block {
  readonly readAt: number;
  readonly places: JointAnswer<Place[]>;
}

/**
 * Pages of cars, mostly in an order that no index has. One pass over the fleet gives a block of places, which answers every page
 * that lies in it for BLOCK_AGE; callers that ask at the same time share the pass. Cars move while a reader walks: a car
 * that falls back may be seen again and one that rises may be missed, but a car that stays is seen exactly once.
 */
export class RankedCars {
  private readonly blocks = new Map<string, Block>();

  constructor(
    private readonly twins: Collection<Twin>,
    private readonly scans: Turns,
    private readonly clock: () => number,
    private readonly maxTimeMS: number,
    private readonly maxAge = BLOCK_AGE,
  ) {}

  /** Up to `count` places behind `after`. `key` names the filter that `query` was made of. */
  async page(key: string, query: Filter<Twin>, order: RankingOrder, after: Place | null, count: number) {
    const from = `${key} ${order.by} ${order.direction}`;
    const hit = after ? await this.within(from, order, after, count) : null;
    if (hit) return hit;
    const start = after ? `${from} ${JSON.stringify(after)}` : from;
    const read = () => readPlaces(this.twins, query, order, after, { limit: BLOCK_PLACES, maxTimeMS: this.maxTimeMS });
    // The primary key alone gives the next ones of all cars.
    const scans = order.by !== 'ID' || Object.keys(query).length > 0;
    const places = await this.block(start, scans ? () => this.scans.take(read) : read);
    return places.slice(0, count);
  }

  /** The page out of a block that is there already and reaches far enough; null when there is none. */
  private async within(from: string, order: RankingOrder, after: Place, count: number): Promise<Place[] | null> {
    for (const [key, block] of this.blocks) {
      if (!key.startsWith(from) || !this.fresh(block)) continue;
      const places = await block.places.join().catch(() => []);
      const first = firstBehind(places, after, order);
      const complete = places.length < BLOCK_PLACES;
      const covers = first > 0 && (first + count <= places.length || complete);
      if (covers) return places.slice(first, first + count);
    }
    return null;
  }

  private block(key: string, read: () => Promise<Place[]>): Promise<Place[]> {
    const known = this.blocks.get(key);
    if (known && this.fresh(known)) return known.places.join();
    const block = { readAt: this.clock(), places: new JointAnswer(read) };
    this.blocks.delete(key);
    this.blocks.set(key, block);
    block.places.value.catch(() => this.blocks.get(key) === block && this.blocks.delete(key));
    for (const old of [...this.blocks.keys()].slice(0, Math.max(0, this.blocks.size - BLOCKS))) this.blocks.delete(old);
    return block.places.value;
  }

  private fresh(block: Block): boolean {
    return this.clock() - block.readAt <= this.maxAge;
  }
}
