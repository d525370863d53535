import { SECANTUS_RS_CACHE, findSecantusRs } from '../stack/secantus.js';
import type { MongodbServer } from '../stack/part.js';
import { startStack } from '../stack/stack.js';
import { surroundingsOf } from '../stack/surroundings.js';

export interface TestServer {
  readonly name: string;
  start(): Promise<{ uri: string; stop(): Promise<void> }>;
}

/** Every database server at hand: the one that is given, mongod where there is one, and both SecantusDB servers. */
export function databaseServers(): TestServer[] {
  const surroundings = surroundingsOf(process.env);
  const servers: TestServer[] = [local('secantusd-py')];
  if (findSecantusRs(surroundings)) servers.push(local('secantusd-rs'));
  else
    process.stderr.write(`store contract: ${SECANTUS_RS_CACHE} is not built (fleet-twin stack build-db), left out\n`);
  if (surroundings.onPath('mongod')) servers.push(local('mongod'));
  return servers;
}

function local(server: MongodbServer): TestServer {
  return {
    name: server,
    start: async () => {
      // The named service is somebody else's server: this one is to be of the wanted kind.
      const env = { ...process.env, MONGODB_URI: undefined };
      const stack = await startStack({ parts: ['mongodb'], mongodb: server, env, say: () => undefined });
      return { uri: stack.urls.mongodbUri, stop: () => stack.stop() };
    },
  };
}
