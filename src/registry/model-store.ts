import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { GridFSBucket } from 'mongodb';
import type { Database } from '../twin/database.js';
import type { ModelDocument, ModelFile } from '../twin/model-documents.js';
import { hashOfFiles, readArtefact, sha256, writeArtefact, type Artefact, type ArtefactFile } from './artefact.js';
import { RegistryError } from './registry-error.js';

const BUCKET = 'modelFiles';
/** Files that no model names for this long were left by a registration that was cut off, ms. */
const ORPHANED = 3_600_000;

export interface Registering {
  readonly by: string;
  readonly note: string;
  readonly now: Date;
}

/**
 * Stores a model's folder. The same artefact under the same name and version again is the model that is there.
 * @throws BadModelError for a folder that holds none; RegistryError MODEL_CONFLICT where name and version stand for another artefact
 */
export async function registerModel(database: Database, dir: string, registering: Registering): Promise<ModelDocument> {
  const artefact = readArtefact(dir);
  const { models } = database.collections;
  const _id = `${artefact.name}@${artefact.version}`;
  const there = await models.findOne({ _id });
  if (there) return sameOr(there, artefact);
  await removeOrphans(database, registering.now);
  const document = documentOf(_id, artefact, await upload(database, artefact), registering);
  try {
    await models.insertOne(document);
    return document;
  } catch (error) {
    if ((error as { code?: unknown }).code !== 11_000) throw error;
    // Somebody was quicker; what was uploaded for nothing goes with the orphans.
    return sameOr(await findModel(database, _id), artefact);
  }
}

/** @throws RegistryError UNKNOWN_MODEL */
export async function findModel({ collections }: Database, id: string): Promise<ModelDocument> {
  const found = await collections.models.findOne({ _id: id });
  if (found) return found;
  const known = (
    await collections.models
      .find({}, { projection: { _id: 1 } })
      .sort({ registeredAt: -1 })
      .limit(5)
      .toArray()
  )
    .map(({ _id }) => _id)
    .join(', ');
  throw new RegistryError('UNKNOWN_MODEL', `there is no model ${id}${known === '' ? '' : `; the newest are ${known}`}`);
}

/** @returns the files of a model, checked against what was registered */
export async function readModelFiles({ db }: Database, model: ModelDocument): Promise<ArtefactFile[]> {
  const bucket = new GridFSBucket(db, { bucketName: BUCKET });
  const files = await Promise.all(
    model.files.map(async ({ path, file }) => {
      const bytes = await buffer(bucket.openDownloadStream(file));
      return { path, bytes, sha256: sha256(bytes) };
    }),
  );
  if (hashOfFiles(files) === model.artefact) return files;
  throw new RegistryError('MODEL_REFUSED', `the stored files of ${model._id} are not those that were registered`);
}

/** Has the model's folder on disk while the work is done. */
export async function withModelFolder<T>(
  database: Database,
  model: ModelDocument,
  work: (dir: string) => Promise<T>,
): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'fleet-twin-model-'));
  try {
    writeArtefact(dir, await readModelFiles(database, model));
    return await work(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function sameOr(there: ModelDocument, artefact: Artefact): ModelDocument {
  if (there.artefact === artefact.sha256) return there;
  throw new RegistryError(
    'MODEL_CONFLICT',
    `${there._id} is registered with the artefact ${there.artefact}, this folder is ${artefact.sha256}: give it another version`,
  );
}

/** An artefact that is stored already, under whatever name, is not stored again. */
async function upload(database: Database, artefact: Artefact): Promise<ModelFile[]> {
  const twin = await database.collections.models.findOne({ artefact: artefact.sha256 });
  if (twin) return [...twin.files];
  const bucket = new GridFSBucket(database.db, { bucketName: BUCKET });
  const files: ModelFile[] = [];
  for (const { path, bytes, sha256: hash } of artefact.files) {
    const stream = bucket.openUploadStream(hash);
    await pipeline(Readable.from(bytes.length > 0 ? [bytes] : []), stream);
    files.push({ path, sha256: hash, length: bytes.length, file: stream.id });
  }
  return files;
}

async function removeOrphans({ db, collections }: Database, now: Date): Promise<void> {
  const bucket = new GridFSBucket(db, { bucketName: BUCKET });
  const old = await bucket.find({ uploadDate: { $lt: new Date(now.getTime() - ORPHANED) } }).toArray();
  if (old.length === 0) return;
  const named = new Set<string>();
  for await (const { files } of collections.models.find({}, { projection: { files: 1 } }))
    for (const { file } of files) named.add(file.toHexString());
  for (const { _id } of old) if (!named.has(_id.toHexString())) await bucket.delete(_id);
}

function documentOf(
  _id: string,
  { name, version, kind, threshold, sha256: artefact }: Artefact,
  files: readonly ModelFile[],
  { by, note, now }: Registering,
): ModelDocument {
  const fresh = { registeredAt: now, registeredBy: by, note, retiredAt: null, touched: 0 };
  return { _id, name, version, artefact, kind, threshold, files, ...fresh };
}
