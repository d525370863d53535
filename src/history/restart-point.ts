import { partScore } from '../twin/firmware-notice.js';
import { ratioOf } from '../twin/episode-step.js';
import type { EpisodeRules } from '../twin/episodes.js';
import type { PastReading } from './past-reading.js';

/**
 * Finds, in rows from the newest back, a reading before which nothing matters to the state of a car: the first of so many
 * calm ones in a row that they clear whatever was open and fill the window of k-of-n. Folding from there gives what folding
 * from the beginning gives, but for counts, `firstSeenAt` and the times of former clearings.
 *
 * Readings of one instant are taken together: their order is that of their hashes, not that of the rows.
 */
export class RestartSearch {
  private readonly enough: number;
  private calm = 0;
  private group: { at: number; rows: PastReading[] } | null = null;

  constructor(private readonly rules: EpisodeRules) {
    this.enough = Math.max(rules.window, rules.clear);
  }

  /** @returns whether the rows before this one are enough; this one is not needed then */
  push(row: PastReading): boolean {
    const at = row.at.getTime();
    if (this.group && this.group.at !== at && this.endGroup()) return true;
    if (this.group?.at === at) this.group.rows.push(row);
    else this.group = { at, rows: [row] };
    return false;
  }

  private endGroup(): boolean {
    const scores = this.group?.rows.flatMap(({ score }) => (score ? [score] : [])) ?? [];
    // A reading without a score changes no episode: it neither counts nor breaks the row.
    this.calm = scores.every((score) => this.isCalm(score)) ? this.calm + scores.length : 0;
    return this.calm >= this.enough;
  }

  private isCalm(score: NonNullable<PastReading['score']>): boolean {
    const { noticed, mechanical } = partScore(score);
    return !noticed && !mechanical.anomalous && ratioOf(mechanical) < this.rules.hysteresis;
  }
}
