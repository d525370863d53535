/** What was computed out of finite values may be beyond all numbers, which JSON and GraphQL do not have: it is null then. */
export function finite(value: unknown): number | null {
  return Number.isFinite(value) ? (value as number) : null;
}
