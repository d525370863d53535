/** What can be told of a JSON text without parsing it. Meaningful only where the text then parses. */
export interface JsonShape {
  /** How deep objects and arrays lie in one another; stops counting one beyond `maxDepth`. */
  readonly depth: number;
  /** How many keys the outermost object has, repeated ones included. */
  readonly keys: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** One pass over the bytes, no recursion, nothing allocated: safe for any bytes. */
export function scanJson(bytes: Uint8Array, maxDepth: number): JsonShape {
  const end = bytes.length;
  let depth = 0;
  let deepest = 0;
  let keys = 0;
  for (let place = 0; place < end; place += 1) {
    const byte = bytes[place];
    if (byte === QUOTE) place = endOfString(bytes, place + 1);
    else if (byte === COLON) keys += depth === 1 ? 1 : 0;
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth += 1;
      if (depth > deepest) deepest = depth;
      if (depth > maxDepth) break;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth -= 1;
  }
  return { depth: deepest, keys };
}

/** The place of the quote that ends the string whose content begins at `start`; the end of the bytes where none does. */
function endOfString(bytes: Uint8Array, start: number): number {
  let place = start;
  while (place < bytes.length) {
    const byte = bytes[place];
    if (byte === QUOTE) return place;
    place += byte === BACKSLASH ? 2 : 1;
  }
  return place;
}
