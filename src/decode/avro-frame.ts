/** Confluent's wire format: a zero byte, the schema's id as a big-endian int32, then the record. */
export const FRAME_HEADER = 5;
const MAGIC = 0;
/** Ids are positive ints in Java: no registry has larger ones, and asking for them gets answers that are no answers. */
const LARGEST_ID = 0x7f_ff_ff_ff;

/** No JSON begins with a zero byte. */
export function isFramed(body: Buffer): boolean {
  return body[0] === MAGIC;
}

/** The schema's id in a frame; null when the frame is too short for one, or the id is none that can exist. */
export function schemaIdOf(body: Buffer): number | null {
  if (body.length < FRAME_HEADER) return null;
  const id = body.readUInt32BE(1);
  return id <= LARGEST_ID ? id : null;
}
