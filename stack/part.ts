import type { Progress } from './progress.js';
import type { Surroundings } from './surroundings.js';

export type PartName = 'mongodb' | 'kafka' | 'mqtt';
export const PART_NAMES: readonly PartName[] = ['mongodb', 'kafka', 'mqtt'];

export type MongodbServer = 'secantusd-rs' | 'secantusd-py' | 'mongod';

/** Where a part comes from; the first that applies is taken. */
export type Source = 'environment' | 'path' | 'cache' | 'fetch' | 'missing';

export interface Choice {
  readonly source: Source;
  /** The program, e.g. `secantusd-rs`, or the service that was named. */
  readonly server: string;
  readonly version: string;
  readonly why: string;
  /** The program's file, or the address of a named service. */
  readonly location?: string;
  /** What is missing, or would be better, and how to get it. */
  readonly advice?: string;
}

/** A program that can be started. `ready` asks it once and rejects while it does not serve. */
export interface Server {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly url: string;
  prepare(): Promise<void>;
  ready(): Promise<void>;
}

/** Where a server is to run. `extraPort` is a second free one, for those that need it. */
export interface Place {
  readonly dataDir: string;
  readonly port: number;
  readonly extraPort: number;
}

export interface Part {
  readonly name: PartName;
  /** The environment variable that names a service to be used instead. */
  readonly variable: string;
  readonly defaultPort: number;
  /** Starts nothing and fetches nothing. */
  choose(surroundings: Surroundings): Choice;
  /** Brings what was chosen into the cache, when it is not there yet. */
  fetch(choice: Choice, surroundings: Surroundings, progress: Progress): Promise<void>;
  server(choice: Choice, surroundings: Surroundings, place: Place): Server;
  /** Asks a service once; rejects when it does not answer or is not fit for use. */
  probe(url: string): Promise<void>;
}

export class PartMissing extends Error {
  constructor(part: string, advice: string) {
    super(`${part}: ${advice}`);
    this.name = 'PartMissing';
  }
}

/** A service that was named is used or is an error: nothing else is ever put in its place. */
export function namedService(
  part: Pick<Part, 'variable'>,
  server: string,
  surroundings: Surroundings,
): Choice | undefined {
  const url = surroundings.env[part.variable];
  if (url === undefined || url === '') return undefined;
  return { source: 'environment', server, version: '', why: `${part.variable} is set`, location: url };
}
