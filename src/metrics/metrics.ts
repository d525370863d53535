import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

export const STAGES = ['decode', 'score', 'load', 'store', 'publish'] as const;
export type Stage = (typeof STAGES)[number];

/** What a batch ended in, as counts of records. */
export const OUTCOMES = [
  'received',
  'decoded',
  'stored',
  'unscored',
  'late',
  'duplicate',
  'expired',
  'erased',
  'lost',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

const ARRAY_HELP = 'Records of array topics, by what they ended in; those of the sensor topic are not among them';
export type ArrayOutcome = 'received' | 'stored' | 'duplicate' | 'expired' | 'unscored' | 'anomalous' | 'rejected';

const OUTCOME_HELP: Readonly<Record<Outcome, string>> = {
  received: 'Records read from the sensor topic',
  decoded: 'Records that became a reading',
  stored: 'Readings committed to the history',
  unscored: 'Readings stored without a score',
  late: 'Readings stored that came after a newer one of their car',
  duplicate: 'Readings that were in the history already',
  expired: 'Readings older than the retention',
  erased: 'Readings of a time up to which their car was erased',
  lost: 'Records that were removed from the log before they were applied',
};

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Readings of one firmware, or of all (null), against the training of the model in use. */
export interface DriftGroup {
  readonly firmware: number | null;
  /** Population stability index; null where it is not known. */
  readonly signals: readonly { readonly signal: string; readonly psi: number | null }[];
}

/** Everything that this process counts, in a registry of its own. */
export class Metrics {
  private readonly registry = new Registry();
  private readonly outcomes: Readonly<Record<Outcome, Counter>>;
  private readonly rejections = this.counter('rejected', 'Records that could not be taken, by reason', ['reason']);
  private readonly arrayRecords = this.counter('array_records', ARRAY_HELP, ['topic', 'outcome']);
  private readonly arrayRejections = this.counter(
    'array_rejected',
    'Array records that could not be taken, by reason',
    ['topic', 'reason'],
  );
  private readonly letters = this.counter('dead_letters', 'Records acknowledged by the dead-letter topic', []);
  private readonly lags = this.gauge('lag_records', 'Records behind the end of the partition', ['topic', 'partition']);
  private readonly modelRoles = this.gauge('model_info', 'Models of this process, by what they do', ['model', 'role']);
  private readonly drifts = this.gauge('drift_psi', "The last day's drift from the model's training", [
    'signal',
    'firmware',
  ]);
  private readonly batches = this.histogram('batch_seconds', 'Time from a batch being handed in to its commit', []);
  private readonly stages = this.histogram('stage_seconds', 'Time of one stage for one batch', ['stage']);

  constructor({ processDefaults = true }: { processDefaults?: boolean } = {}) {
    if (processDefaults) collectDefaultMetrics({ register: this.registry });
    const counters = OUTCOMES.map((name) => [name, this.counter(name, OUTCOME_HELP[name], [])] as const);
    this.outcomes = Object.fromEntries(counters) as Record<Outcome, Counter>;
  }

  /** `records` more ended so. */
  count(outcome: Outcome, records = 1): void {
    this.outcomes[outcome].inc(records);
  }

  /** @param reason one of decode's closed list, or the stage that gave up */
  rejected(reason: string, records = 1): void {
    this.rejections.inc({ reason }, records);
  }

  /** Records of an array topic; beside those of the sensor topic, which `count` counts. */
  arrays(topic: string, outcome: ArrayOutcome, records: number): void {
    this.arrayRecords.inc({ topic, outcome }, records);
  }

  /** The record is acknowledged by the dead-letter topic. */
  arrayRejected(topic: string, reason: string): void {
    this.arrayRejections.inc({ topic, reason });
    this.letters.inc();
  }

  deadLetters(records = 1): void {
    this.letters.inc(records);
  }

  lag(topic: string, partition: number, records: number): void {
    this.lags.set({ topic, partition: String(partition) }, records);
  }

  /** The partition is another process's now. */
  lagGone(topic: string, partition: number): void {
    this.lags.remove({ topic, partition: String(partition) });
  }

  drift(groups: readonly DriftGroup[]): void {
    this.drifts.reset();
    for (const { firmware, signals } of groups)
      for (const { signal, psi } of signals)
        if (psi !== null) this.drifts.set({ signal, firmware: firmware === null ? 'all' : String(firmware) }, psi);
  }

  /** The models in use, as `name@version`; `refused` are wanted and could not be loaded. */
  models(champion: string, shadows: readonly string[], refused: readonly string[]): void {
    this.modelRoles.reset();
    this.modelRoles.set({ model: champion, role: 'champion' }, 1);
    for (const model of shadows) this.modelRoles.set({ model, role: 'shadow' }, 1);
    for (const model of refused) this.modelRoles.set({ model, role: 'refused' }, 1);
  }

  batch(seconds: number): void {
    this.batches.observe(seconds);
  }

  stage(stage: Stage, seconds: number): void {
    this.stages.observe({ stage }, seconds);
  }

  /** Runs a stage and takes its time, whether it succeeds or not. */
  async timed<T>(stage: Stage, work: () => Promise<T> | T): Promise<T> {
    const begun = performance.now();
    try {
      return await work();
    } finally {
      this.stage(stage, (performance.now() - begun) / 1_000);
    }
  }

  /** A value that is read when the metrics are asked for; `name` without the prefix, in snake_case with its unit. */
  observed(name: string, help: string, read: () => number): void {
    const gauge: Gauge = new Gauge({
      name: `fleet_twin_${name}`,
      help,
      registers: [this.registry],
      collect: () => gauge.set(read()),
    });
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  /** The Prometheus text. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  private counter<L extends string>(name: string, help: string, labelNames: L[]): Counter<L> {
    return new Counter({ name: `fleet_twin_${name}_total`, help, labelNames, registers: [this.registry] });
  }

  private gauge<L extends string>(name: string, help: string, labelNames: L[]): Gauge<L> {
    return new Gauge({ name: `fleet_twin_${name}`, help, labelNames, registers: [this.registry] });
  }

  private histogram<L extends string>(name: string, help: string, labelNames: L[]): Histogram<L> {
    const buckets = SECONDS;
    return new Histogram({ name: `fleet_twin_${name}`, help, labelNames, buckets, registers: [this.registry] });
  }
}
