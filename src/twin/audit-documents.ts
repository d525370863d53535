/** What somebody wanted to change, written before it is tried; `outcome` follows when it was answered. */
export interface AuditDocument {
  /** Sortable by time. */
  readonly _id: string;
  readonly at: Date;
  readonly viewer: string;
  readonly role: string;
  /** Address of the client. */
  readonly address: string;
  /** Name of the mutation. */
  readonly operation: string;
  /** By name; as text where a document could not hold them. */
  readonly args: Readonly<Record<string, unknown>>;
  /** `OK`, `SKIPPED` (by a directive), or the code of the error; null while it is not answered, or where the process ended before. */
  readonly outcome: string | null;
}
