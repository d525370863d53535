import type { OutRecord } from '../kafka/out-record.js';
import type { Database } from '../twin/database.js';
import type { ModelSlots } from '../twin/model-documents.js';
import { readSlots, STREAM } from './slots.js';

/** Where announcements go. */
export interface Outlet {
  send(records: readonly OutRecord[], signal?: AbortSignal): Promise<void>;
}

/**
 * Tells the topic of model updates which version of each model is in use, at least once for each revision. Any number of
 * processes may: the records are the same.
 * @throws what the outlet or the database throws; the next look at the slots begins again
 */
export async function announce(
  database: Database,
  slots: ModelSlots,
  topic: string,
  outlet: Outlet,
  signal?: AbortSignal,
): Promise<void> {
  if (slots.announced >= slots.revision) return;
  let { revision } = slots;
  for (let said = slots; ; said = await readSlots(database)) {
    // While Kafka was waited for, others may have told a newer revision: the topic keeps what comes last, so it is told again.
    if (said !== slots && said.revision === revision) return;
    ({ revision } = said);
    await outlet.send(announcements(said, topic), signal);
    await database.collections.modelSlots.updateOne({ _id: STREAM }, { $max: { announced: revision } });
  }
}

/** One record for each model name that is in use or may have gone out of use; the topic is compacted by name. Pure. */
export function announcements(slots: ModelSlots, topic: string): OutRecord[] {
  const { champion, shadows, previous, changes, revision } = slots;
  const ids = [champion, ...shadows, ...previous, ...changes.map(({ model }) => model)];
  const names = new Set(ids.flatMap((id) => (id === null ? [] : [partsOf(id).name])));
  const at = changes.at(-1)?.at ?? null;
  return [...names].toSorted().map((name) => {
    const active = champion !== null && partsOf(champion).name === name ? partsOf(champion).version : null;
    const shadow = shadows.filter((id) => partsOf(id).name === name).map((id) => partsOf(id).version);
    const id = `${STREAM}/${revision}/${name}`;
    const value = { id, name, stream: STREAM, active, shadow, revision, at: at?.toISOString() ?? null };
    return { topic, key: name, value: Buffer.from(JSON.stringify(value)), headers: { id } };
  });
}

function partsOf(id: string): { name: string; version: string } {
  const split = id.lastIndexOf('@');
  return { name: id.slice(0, split), version: id.slice(split + 1) };
}
