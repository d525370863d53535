import { isFramed } from './avro-frame.js';

/** framed: Confluent's frame around Avro. plain: Avro alone, which cannot be told from other bytes by looking at it. */
export type BodyFormat = 'json' | 'framed' | 'plain';

/** What a header `content-type` says; any other type says nothing. */
const MEDIA_TYPES: ReadonlyMap<string, 'avro' | 'json'> = new Map([
  ['avro/binary', 'avro'],
  ['application/json', 'json'],
]);

/** How a body is to be read: as its header says, else as the topic's setting says, else by its first byte. */
export function formatOf(
  { headers }: { readonly headers: Readonly<Record<string, Buffer>> },
  body: Buffer,
  setting: 'auto' | 'avro',
): BodyFormat {
  const header = headers['content-type'];
  const said = (header && MEDIA_TYPES.get(mediaType(header))) ?? setting;
  if (said === 'avro') return 'plain';
  return said === 'auto' && isFramed(body) ? 'framed' : 'json';
}

/** Without parameters: `Avro/Binary; charset=x` is `avro/binary`. */
function mediaType(header: Buffer): string {
  const [type = ''] = header.toString('latin1', 0, 128).split(';', 1);
  return type.trim().toLowerCase();
}
