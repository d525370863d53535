import { MongoBulkWriteError } from 'mongodb';
import type { ArrayReadingDocument } from './array-documents.js';
import type { Database } from './database.js';
import { StoreFault, refusesDocument, storeFaultOf } from './store-fault.js';

export interface StoredArrays {
  /** What the collection holds for the documents that were given, but for the refused ones. */
  readonly rows: readonly ArrayReadingDocument[];
  /** How many of them had been there before. */
  readonly duplicate: number;
  /** Documents that MongoDB will never take. */
  readonly refused: readonly { readonly _id: string; readonly code: string; readonly detail: string }[];
}

const DUPLICATE_KEY = 11_000;

/**
 * Inserts what is not there yet; what is there stays as it is. So it may be done any number of times, by any number of
 * processes, and killed at any instant.
 * @throws StoreFault, retriable, while MongoDB is away
 */
export async function storeArrays(
  { collections }: Pick<Database, 'collections'>,
  documents: readonly ArrayReadingDocument[],
): Promise<StoredArrays> {
  if (documents.length === 0) return NOTHING;
  try {
    await collections.arrayReadings.insertMany([...documents], { ordered: false });
    return { rows: documents, duplicate: 0, refused: [] };
  } catch (error) {
    if (!(error instanceof MongoBulkWriteError)) return afterFault({ collections }, documents, storeFaultOf(error));
    const failures = [error.writeErrors].flat();
    const alone = failures.length > 0 && error.result.getWriteConcernError() === undefined;
    // Anything else is no fault of a document: it is not known what is stored.
    if (!alone || !failures.every(({ code }) => refusesDocument(code)))
      throw new StoreFault('STORE_UNAVAILABLE', error);
    return sorted({ collections }, documents, failures);
  }
}

const NOTHING: StoredArrays = { rows: [], duplicate: 0, refused: [] };

/** The driver could not even encode one of the documents: halves find it. */
async function afterFault(
  database: Pick<Database, 'collections'>,
  documents: readonly ArrayReadingDocument[],
  fault: StoreFault,
): Promise<StoredArrays> {
  const [only] = documents;
  if (fault.retriable || only === undefined) throw fault;
  if (documents.length === 1)
    return { ...NOTHING, refused: [{ _id: only._id, code: fault.code, detail: fault.message }] };
  const middle = documents.length >> 1;
  const first = await storeArrays(database, documents.slice(0, middle));
  const second = await storeArrays(database, documents.slice(middle));
  return {
    rows: [...first.rows, ...second.rows],
    duplicate: first.duplicate + second.duplicate,
    refused: [...first.refused, ...second.refused],
  };
}

interface DocumentFailure {
  readonly index: number;
  readonly code: number;
  readonly errmsg?: string | undefined;
}

async function sorted(
  { collections }: Pick<Database, 'collections'>,
  documents: readonly ArrayReadingDocument[],
  failed: readonly DocumentFailure[],
): Promise<StoredArrays> {
  const failures = new Map(failed.map((failure) => [documents[failure.index]?._id ?? '', failure]));
  const there = [...failures].filter(([, { code }]) => code === DUPLICATE_KEY).map(([_id]) => _id);
  // They may hold another score than the one at hand, of another model: what is published is what is stored.
  const before = await collections.arrayReadings
    .find({ _id: { $in: there } })
    .toArray()
    .catch((error: unknown) => {
      throw storeFaultOf(error);
    });
  const stored = new Map(before.map((row) => [row._id, row]));
  const rows = documents.flatMap((document) =>
    failures.has(document._id) ? (stored.get(document._id) ?? []) : document,
  );
  const refused = [...failures].filter(([, { code }]) => code !== DUPLICATE_KEY);
  return {
    rows,
    duplicate: there.length,
    refused: refused.map(([_id, { code, errmsg = '' }]) => ({
      _id,
      code: 'STORE_REFUSED_DOCUMENT',
      detail: `${code}: ${errmsg}`,
    })),
  };
}
