import type { Panel } from '../telemetry/score.js';
import type { LoadedScorer } from '../score/load-scorer.js';

/** A loaded model, closed by the last panel that lets go of it. */
export class SharedScorer {
  #holders = 0;

  constructor(readonly scorer: LoadedScorer) {}

  hold(): void {
    this.#holders += 1;
  }

  async letGo(): Promise<void> {
    this.#holders -= 1;
    if (this.#holders === 0) await this.scorer.close();
  }
}

/** The models of one revision, and how many batches are being scored by them. Closed once it is replaced and idle. */
export class LentPanel {
  readonly panel: Panel;
  #users = 0;
  #replaced = false;
  #idle: () => void = () => undefined;
  readonly #closed: Promise<void>;

  constructor(
    readonly revision: number,
    /** Null for the model of the settings. */
    readonly champion: string | null,
    readonly scorers: ReadonlyMap<string | null, SharedScorer>,
    shadows: readonly string[],
  ) {
    for (const shared of scorers.values()) shared.hold();
    const scorerOf = (model: string | null) => {
      const shared = scorers.get(model);
      if (!shared) throw new RangeError(`${model} is not loaded`);
      return shared.scorer;
    };
    this.panel = { revision, champion: scorerOf(champion), shadows: shadows.map(scorerOf) };
    this.#closed = new Promise<void>((resolve) => {
      this.#idle = resolve;
    }).then(() => this.#letGo());
  }

  async use<T>(work: (panel: Panel) => Promise<T>): Promise<T> {
    this.#users += 1;
    try {
      return await work(this.panel);
    } finally {
      this.#users -= 1;
      this.#closeWhenIdle();
    }
  }

  /** Another panel has taken its place. Resolves when nobody uses this one any more and its models are closed. */
  replaced(): Promise<void> {
    this.#replaced = true;
    this.#closeWhenIdle();
    return this.#closed;
  }

  #closeWhenIdle(): void {
    if (this.#replaced && this.#users === 0) this.#idle();
  }

  async #letGo(): Promise<void> {
    // One that does not close is no reason to keep the others.
    await Promise.allSettled([...this.scorers.values()].map((shared) => shared.letGo()));
  }
}
