import { isAscii, isUtf8 } from 'node:buffer';
import type { Reading } from '../telemetry/reading.js';
import { isForbidden } from './field-names.js';
import { type JsonShape, scanJson } from './json-scan.js';
import { MessageDraft, type Envelope } from './message-draft.js';
import { Refusal } from './rejection.js';

/** A car's message is flat; what it may carry beside the signals is ignored down to here. */
export const MAX_DEPTH = 16;

/** Texts that match none of it have no forbidden key, however spelled: looking through all of a message takes long. */
const SUSPECT = /proto|constructor|\\u/;

const ERROR_LITERAL = 'ERROR';
const BRACE = 0x7b;
const BOM = [0xef, 0xbb, 0xbf];

/** Decodes a body that is taken for JSON text. */
export function decodeJson(body: Buffer, envelope: Envelope): Reading | Refusal {
  const bytes = withoutBom(body);
  const text = textOf(bytes);
  if (text === null) return notText(bytes);
  const shape = scanJson(bytes, MAX_DEPTH);
  if (shape.depth > MAX_DEPTH) return new Refusal('TOO_DEEP', `nested deeper than ${MAX_DEPTH}`);
  const message = parse(text);
  if (message === undefined) return notJson(bytes, text);
  if (typeof message !== 'object' || message === null || Array.isArray(message))
    return new Refusal('NOT_AN_OBJECT', 'the JSON is not an object');
  return fromObject(message as Record<string, unknown>, text, shape, envelope);
}

function fromObject(
  message: Record<string, unknown>,
  text: string,
  shape: JsonShape,
  envelope: Envelope,
): Reading | Refusal {
  const names = Object.keys(message);
  // JSON.parse keeps the last of two equal keys and says nothing.
  if (names.length !== shape.keys) return new Refusal('DUPLICATE_KEY', 'the same key is there twice');
  if (shape.depth > 1 && SUSPECT.test(text) && Object.values(message).some(hasForbiddenKey))
    return new Refusal('FORBIDDEN_KEY', 'a nested key is not allowed');
  const draft = new MessageDraft(envelope);
  for (const name of names) {
    const refusal = draft.put(name, message[name]);
    if (refusal) return refusal;
  }
  return draft.finish();
}

/** At most MAX_DEPTH deep, so recursion is bounded. */
function hasForbiddenKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, inner]) => isForbidden(key) || hasForbiddenKey(inner));
}

/** Undefined when it is not JSON (which has no undefined). */
function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function notJson(bytes: Buffer, text: string): Refusal {
  // The original car simulator sends this word when it fails.
  if (text.trim() === ERROR_LITERAL) return new Refusal('ERROR_LITERAL', 'the car sent the word ERROR');
  if (opensObject(bytes)) return new Refusal('INVALID_JSON', 'it begins like a JSON object but is not valid JSON');
  return new Refusal('UNKNOWN_FORMAT', 'neither JSON nor framed Avro');
}

function notText(bytes: Buffer): Refusal {
  if (opensObject(bytes)) return new Refusal('INVALID_UTF8', 'it begins like a JSON object but is not valid UTF-8');
  return new Refusal('UNKNOWN_FORMAT', 'neither JSON nor framed Avro');
}

/** Whether the first byte that is no white space opens a JSON object. */
function opensObject(bytes: Buffer): boolean {
  return bytes.find((byte) => byte > 0x20) === BRACE;
}

function textOf(bytes: Buffer): string | null {
  if (isAscii(bytes)) return bytes.toString('latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : null;
}

/** RFC 8259, section 8.1, lets a parser ignore a byte order mark. */
function withoutBom(body: Buffer): Buffer {
  return BOM.every((byte, place) => body[place] === byte) ? body.subarray(BOM.length) : body;
}
