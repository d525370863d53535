/** Scores of one class of readings, with the car that each is of: readings of one car are not independent. */
export class ScoresByCar {
  readonly #byCar = new Map<string, number[]>();
  #sorted: { readonly values: Float64Array; readonly carOf: readonly string[] } | null = null;
  count = 0;

  add(car: string, score: number): void {
    const scores = this.#byCar.get(car);
    if (scores) scores.push(score);
    else this.#byCar.set(car, [score]);
    this.count++;
    this.#sorted = null;
  }

  get cars(): ReadonlyMap<string, readonly number[]> {
    return this.#byCar;
  }

  /** All scores, rising. */
  get values(): Float64Array {
    return this.#inOrder().values;
  }

  /** The car of each of `values`. */
  get carOf(): readonly string[] {
    return this.#inOrder().carOf;
  }

  #inOrder(): { readonly values: Float64Array; readonly carOf: readonly string[] } {
    if (this.#sorted) return this.#sorted;
    const pairs = [...this.#byCar].flatMap(([car, scores]) => scores.map((score) => ({ car, score })));
    pairs.sort((one, other) => one.score - other.score);
    this.#sorted = { values: Float64Array.from(pairs, ({ score }) => score), carOf: pairs.map(({ car }) => car) };
    return this.#sorted;
  }
}
