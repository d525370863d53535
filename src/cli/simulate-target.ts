import { FILE_FORMATS, type FileFormat } from '../simulator/file-encoding.js';

/** Where simulated messages go. */
export type Target =
  | { readonly kind: 'mqtt'; readonly url: string }
  | { readonly kind: 'kafka'; readonly brokers: readonly string[]; readonly topic: string }
  | { readonly kind: 'file'; readonly file: string; readonly format: FileFormat }
  | { readonly kind: 'stdout' };

export const TARGETS =
  'mqtt://host:port, kafka://host:port/topic, FILE.jsonl, FILE.csv, FILE.avro, or - for JSON lines on standard output';

const KAFKA = /^kafka:\/\/([^/\s]+:\d+)\/([A-Za-z0-9._-]{1,249})$/;

/** @throws Error that says what would be right */
export function targetOf(to: string): Target {
  if (to === '-') return { kind: 'stdout' };
  if (/^(mqtts?|wss?|tcp|tls):\/\//.test(to)) {
    if (!URL.canParse(to) || new URL(to).hostname === '')
      throw new Error(`--to ${to}: not a URL; like mqtt://127.0.0.1:1883`);
    return { kind: 'mqtt', url: to };
  }
  if (to.startsWith('kafka://')) return kafkaTarget(to);
  const format = FILE_FORMATS.find((format) => to.endsWith(`.${format}`));
  if (format === undefined) throw new Error(`--to ${to}: none of ${TARGETS}`);
  return { kind: 'file', file: to, format };
}

/** Whether a service may be listening, so that the messages have to carry the present time. */
export function isLive({ kind }: Target): boolean {
  return kind === 'mqtt' || kind === 'kafka';
}

function kafkaTarget(to: string): Target {
  const [, brokers, topic] = KAFKA.exec(to) ?? [];
  if (brokers === undefined || topic === undefined)
    throw new Error(`--to ${to}: not a topic of Kafka; like kafka://127.0.0.1:9092/sensor-data`);
  return { kind: 'kafka', brokers: brokers.split(','), topic };
}
