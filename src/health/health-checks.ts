/** Passes by resolving with nothing or `ok`; any other text, or a rejection, is the reason why not. */
export type HealthCheck = () => Promise<string | void>;

export interface HealthReport {
  readonly ready: boolean;
  /** `ok` or the reason, by the name of the check. */
  readonly checks: Readonly<Record<string, string>>;
}

/** A check that has not answered after this long, ms, has failed. */
export const CHECK_LIMIT = 2_000;

/** The named checks that the roles of this process contribute; all must pass for the process to be ready. */
export class HealthChecks {
  private readonly checks = new Map<string, HealthCheck>();

  constructor(private readonly limit = CHECK_LIMIT) {}

  /** Adds a check, in the place of one of the same name. Returns what takes it away again. */
  add(name: string, check: HealthCheck): () => void {
    this.checks.set(name, check);
    return () => {
      if (this.checks.get(name) === check) this.checks.delete(name);
    };
  }

  async report(): Promise<HealthReport> {
    const results = await Promise.all(
      [...this.checks].map(async ([name, check]) => [name, await outcome(check, this.limit)] as const),
    );
    return { ready: results.every(([, result]) => result === 'ok'), checks: Object.fromEntries(results) };
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
