import type { EpisodeKind } from './episode-kind.js';

/** Padding keeps ids in the order of their numbers, so that a range of offsets is a range of ids. */
const padded = (value: number, digits: number) => value.toString().padStart(digits, '0');

export function positionId(topic: string, partition: number): string {
  return `${topic}/${padded(partition, 5)}`;
}

/** `topic/incarnation/partition/offset` */
export function readingId(topic: string, incarnation: number, partition: number, offset: number): string {
  return `${topic}/${padded(incarnation, 4)}/${padded(partition, 5)}/${padded(offset, 16)}`;
}

/** `array/topic/partition/offset/time`: offsets of a topic that was made anew were used before, at other times; ms. */
export function arrayReadingId(topic: string, partition: number, offset: number, at: number): string {
  return `array/${topic}/${padded(partition, 5)}/${padded(offset, 16)}/${at}`;
}

/** The topic, partition and offset that an array's id was made of. */
export function positionOfArray(id: string): { topic: string; partition: number; offset: number } {
  const [, topic = '', partition, offset] = id.split('/');
  return { topic, partition: Number(partition), offset: Number(offset) };
}

/** The topic, partition and offset that a reading's id was made of. */
export function positionOfReading(id: string): { topic: string; partition: number; offset: number } {
  const [topic = '', , partition, offset] = id.split('/');
  return { topic, partition: Number(partition), offset: Number(offset) };
}

/** `topic/partition/sequence` */
export function eventId(position: string, sequence: number): string {
  return `${position}/${padded(sequence, 16)}`;
}

export function episodeId(car: string, kind: EpisodeKind, openedAt: Date): string {
  return `${car}/${kind}/${openedAt.toISOString()}`;
}

/** The episode's id and the place of the entry in the timeline of its handling. */
export function handlingId(episode: string, place: number): string {
  return `${episode}/${padded(place, 5)}`;
}
