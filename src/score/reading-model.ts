import type { Scored, ToScore } from '../telemetry/score.js';
import type { MetadataOfAnyKind, NetworkFiles } from './model-folder.js';

/**
 * What a kind of model knows: which numbers of a reading and of the car's memory its network is given, and what the answer
 * means. Whoever evaluates the network, and in which batches, is no business of it.
 */
export interface ReadingModel {
  /** `name@version` */
  readonly model: string;
  /** A reading that scores above it is anomalous. */
  readonly threshold: number;
  readonly network: NetworkFiles;
  readonly golden: MetadataOfAnyKind['golden'];
  readonly goldenNetwork: MetadataOfAnyKind['goldenNetwork'];
  /** How far from 0 the numbers may reach that the network is given. */
  readonly reach: number;
  /** A row of numbers for each reading; the memories that were given stay as they were. */
  prepare(part: readonly ToScore[]): Prepared;
}

export interface Prepared {
  /** readings × the network's width */
  readonly inputs: Float32Array<ArrayBuffer>;
  /** @param outputs readings × the width of what the network answers */
  judged(outputs: Float32Array): Scored[];
}
