import { z } from 'zod';
import { SIGNAL_NAMES, type SignalName, type Signals } from '../telemetry/signals.js';

/** As metadata.json has it. */
export const signalDistributionsSchema = z.array(
  z.object({
    signal: z.enum(SIGNAL_NAMES as [SignalName, ...SignalName[]]),
    edges: z.array(z.number()),
    shares: z.array(z.number()),
    missing: z.number(),
  }),
);

const trainedSchema = z.looseObject({
  name: z.string(),
  version: z.string(),
  signals: signalDistributionsSchema.optional(),
});

/**
 * What a model's metadata.json, of any kind of model, says of its training.
 * @throws Error where it is no metadata
 */
export function trainedSignals(metadata: string): z.infer<typeof trainedSchema> {
  return trainedSchema.parse(JSON.parse(metadata));
}

/** How the values of one signal are spread: shares of the readings in the bins between the edges, rising. */
export interface SignalDistribution {
  readonly signal: SignalName;
  /** In the signal's unit; bin i holds values above edge i - 1 up to edge i, the last one all above the last edge. */
  readonly edges: readonly number[];
  /** One more than there are edges; of the readings that carry the signal. */
  readonly shares: readonly number[];
  /** Share of the readings without the signal. */
  readonly missing: number;
}

/** Readings that are kept to know the distributions by; 6 MB at most. */
const KEPT = 20_000;
const BINS = 10;

/** Keeps the signals of the readings with the lowest lots: an even sample, whichever way the cars are interleaved. */
export class SignalSample {
  #kept: { readonly lot: number; readonly values: Float64Array }[] = [];
  #highest = Infinity;

  /** @param lot 0 to 1 */
  offer(signals: Signals, lot: number): void {
    if (lot >= this.#highest) return;
    this.#kept.push({ lot, values: Float64Array.from(SIGNAL_NAMES, (name) => signals[name] ?? Number.NaN) });
    if (this.#kept.length >= 2 * KEPT) this.#cut();
  }

  /** The distribution of every signal in ten bins of about the same share; fewer where values repeat. */
  distributions(): SignalDistribution[] {
    this.#cut();
    return SIGNAL_NAMES.map((signal, place) => {
      const values = Float64Array.from(this.#kept, (one) => one.values[place] ?? Number.NaN);
      const edges = decilesOf(values.filter((value) => !Number.isNaN(value)));
      return { signal, edges, ...sharesOf(values, edges) };
    });
  }

  #cut(): void {
    if (this.#kept.length <= KEPT) return;
    this.#kept.sort((one, other) => one.lot - other.lot);
    this.#highest = this.#kept[KEPT]?.lot ?? Infinity;
    this.#kept.length = KEPT;
  }
}

/** @param values NaN where there is none */
export function sharesOf(
  values: Float64Array,
  edges: readonly number[],
): Pick<SignalDistribution, 'shares' | 'missing'> {
  const counts = Array.from({ length: edges.length + 1 }, () => 0);
  let present = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    present += 1;
    const bin = binOf(value, edges);
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  const missing = values.length === 0 ? 0 : 1 - present / values.length;
  return { shares: counts.map((count) => (present === 0 ? 0 : count / present)), missing };
}

function binOf(value: number, edges: readonly number[]): number {
  const bin = edges.findIndex((edge) => value <= edge);
  return bin === -1 ? edges.length : bin;
}

function decilesOf(values: Float64Array): number[] {
  const sorted = values.toSorted();
  const deciles = Array.from(
    { length: BINS - 1 },
    (_, index) => sorted[Math.ceil(((index + 1) * sorted.length) / BINS) - 1],
  );
  // A value that many readings share, a firmware say, is a bin of its own: one edge on it and one right below.
  const edges = new Set<number>();
  for (const [index, edge] of deciles.entries()) {
    if (edge === undefined) continue;
    const repeated = edge === deciles[index + 1] || edge === deciles[index - 1];
    if (repeated) edges.add(largestBelow(sorted, edge));
    edges.add(edge);
  }
  return [...edges].sort((one, other) => one - other);
}

/** Where there is none, a hair below the value: what is lower than anything in training is then a bin of its own. */
function largestBelow(sorted: Float64Array, value: number): number {
  const first = sorted.indexOf(value);
  return sorted[first - 1] ?? value - Math.max(1e-9, Math.abs(value) * 1e-12);
}
