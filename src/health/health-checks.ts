/** Passes by resolving with nothing or `ok`; any other text, or a rejection, is the reason why not. */
export type HealthCheck = () => Promise<string | void>;

/** `needed`: without it the process is not ready. `watched`: it goes on working, and somebody has to look. */
export type Weight = 'needed' | 'watched';

export interface HealthReport {
  readonly ready: boolean;
  /** A check that is only watched does not pass. */
  readonly degraded: boolean;
  /** `ok` or the reason, by the name of the check. */
  readonly checks: Readonly<Record<string, string>>;
}

/** A check that has not answered after this long, ms, has failed. */
export const CHECK_LIMIT = 2_000;

/** The named checks that the roles of this process contribute; all that are needed must pass for it to be ready. */
export class HealthChecks {
  private readonly checks = new Map<string, { readonly check: HealthCheck; readonly weight: Weight }>();

  constructor(private readonly limit = CHECK_LIMIT) {}

  /** Adds a check, in the place of one of the same name. Returns what takes it away again. */
  add(name: string, check: HealthCheck, weight: Weight = 'needed'): () => void {
    const entry = { check, weight };
    this.checks.set(name, entry);
    return () => {
      if (this.checks.get(name) === entry) this.checks.delete(name);
    };
  }

  async report(): Promise<HealthReport> {
    const results = await Promise.all(
      [...this.checks].map(async ([name, { check, weight }]) => {
        return { name, weight, result: await outcome(check, this.limit) };
      }),
    );
    const fails = (of: Weight) => results.some(({ weight, result }) => weight === of && result !== 'ok');
    const checks = Object.fromEntries(results.map(({ name, result }) => [name, result]));
    return { ready: !fails('needed'), degraded: fails('watched'), checks };
  }
}

async function outcome(check: HealthCheck, limit: number): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`no answer within ${limit} ms`), limit);
  });
  try {
    return (await Promise.race([check(), late])) ?? 'ok';
  } catch (fault) {
    return fault instanceof Error ? fault.message || fault.name : String(fault);
  } finally {
    clearTimeout(timer);
  }
}
