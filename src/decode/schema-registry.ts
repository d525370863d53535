import { z } from 'zod';
import { type AvroReader, avroReader } from './avro-reader.js';
import { BoundedMap } from './bounded-map.js';
import { DecodeFault } from './decode-fault.js';
import { Refusal } from './rejection.js';
import { fetchJson, type RegistryAddress, registryAddress } from './registry-request.js';

export interface RegistryOptions {
  /** http or https, with user and password for basic auth where it needs some. */
  readonly url: string;
  /** How long one answer may take, ms. */
  readonly timeout?: number;
  /** How long it is believed that there is no schema of an id, ms. */
  readonly missingFor?: number;
  readonly clock?: () => number;
}

/** The reader for a schema id, or why records with it are rejected. */
export type SchemaLookup = AvroReader | Refusal;

const SCHEMAS = 500;
const MISSING = 10_000;
const AT_ONCE = 8;

/**
 * The registry's API: 40401 subject, 40402 version, 40403 schema not found. A bare 404 is no word about a schema: it is
 * what a wrong path or a proxy answers to everything, and would turn every good record into a dead letter.
 */
const NOT_FOUND = z.object({ error_code: z.number().int().min(40_401).max(40_403) });
const SCHEMA = z.object({
  schema: z.string(),
  schemaType: z.string().nullish(),
  references: z.array(z.unknown()).nullish(),
});

/**
 * Schemas by id from a Confluent-compatible registry. An id means one schema for ever, so what was found is kept; what
 * was not found may be registered later, and is asked for again after a while. Both memories are bounded.
 */
export class SchemaRegistry {
  readonly #address: RegistryAddress;
  readonly #missingFor: number;
  readonly #clock: () => number;
  readonly #found = new BoundedMap<number, SchemaLookup>(SCHEMAS);
  readonly #missing = new BoundedMap<number, { readonly refusal: Refusal; readonly until: number }>(MISSING);

  constructor(options: RegistryOptions) {
    this.#address = registryAddress(options.url, options.timeout ?? 5_000);
    this.#missingFor = options.missingFor ?? 60_000;
    this.#clock = options.clock ?? Date.now;
  }

  /** What is known of an id without asking. */
  known(id: number): SchemaLookup | undefined {
    const missing = this.#missing.get(id);
    if (missing && missing.until > this.#clock()) return missing.refusal;
    return this.#found.get(id);
  }

  /**
   * Looks up every id, a few at a time, asking for those that are not known. Throws a DecodeFault as soon as one cannot
   * be asked for; what was learned until then is kept.
   */
  async lookUp(ids: ReadonlySet<number>): Promise<Map<number, SchemaLookup>> {
    const found = new Map<number, SchemaLookup>();
    const queue = ids.values();
    const worker = async () => {
      for (const id of queue) found.set(id, this.known(id) ?? (await this.#ask(id)));
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, ids.size) }, worker));
    return found;
  }

  async #ask(id: number): Promise<SchemaLookup> {
    const { status, body } = await fetchJson(this.#address, `schemas/ids/${id}`);
    if (status === 404 && NOT_FOUND.safeParse(body).success) return this.#rememberMissing(id);
    const answer = SCHEMA.safeParse(body);
    if (status !== 200 || !answer.success)
      throw new DecodeFault('REGISTRY_UNINTELLIGIBLE', `status ${status} without a schema from ${this.#address.base}`);
    const lookup = toReader(id, answer.data);
    this.#found.set(id, lookup);
    return lookup;
  }

  #rememberMissing(id: number): Refusal {
    const refusal = new Refusal('UNKNOWN_SCHEMA', `the registry has no schema ${id}`);
    this.#missing.set(id, { refusal, until: this.#clock() + this.#missingFor });
    return refusal;
  }
}

function toReader(id: number, { schema, schemaType, references }: z.infer<typeof SCHEMA>): SchemaLookup {
  const unusable = (why: string) => new Refusal('UNUSABLE_SCHEMA', `schema ${id} ${why}`);
  if (schemaType && schemaType !== 'AVRO') return unusable('is not Avro');
  if (references && references.length > 0) return unusable('refers to other schemas');
  try {
    return avroReader(JSON.parse(schema));
  } catch {
    return unusable('is not JSON');
  }
}
