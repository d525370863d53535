import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { limitTransactions, probeMongodb, readyReplicaSet } from './mongodb-probe.js';
import {
  namedService,
  PartMissing,
  type Choice,
  type MongodbServer,
  type Part,
  type Place,
  type Server,
} from './part.js';
import { chooseSecantusPy, findSecantusRs, installSecantusPy } from './secantus.js';
import type { Surroundings } from './surroundings.js';
import { SECANTUS_RS_VERSION } from './versions.js';

/** Set by those who want one server and no other: the store's contract suite runs against each. */
/** After this the server ends a transaction whose client was killed or stopped, s. */
const TRANSACTION_SECONDS = 10;

export const SERVER_VARIABLE = 'FLEET_TWIN_MONGODB';

export const mongodb: Part = {
  name: 'mongodb',
  variable: 'MONGODB_URI',
  defaultPort: 27017,
  choose,
  fetch: async (choice, surroundings, progress) => {
    if (choice.source === 'fetch') await installSecantusPy(surroundings.cacheDir, progress);
  },
  server,
  probe: probeMongodb,
};

function choose(surroundings: Surroundings): Choice {
  const wanted = surroundings.env[SERVER_VARIABLE];
  if (wanted !== undefined && wanted !== '') return chooseWanted(wanted, surroundings);
  const named = namedService(mongodb, 'MongoDB', surroundings);
  return named ?? chooseMongod(surroundings) ?? chooseSecantusRs(surroundings) ?? chooseSecantusPy(surroundings);
}

function chooseWanted(wanted: string, surroundings: Surroundings): Choice {
  const why = `${SERVER_VARIABLE} asks for it`;
  const missing = (advice: string): Choice => ({ source: 'missing', server: wanted, version: '', why, advice });
  switch (wanted as MongodbServer) {
    case 'mongod':
      return chooseMongod(surroundings) ?? missing('mongod is not on the PATH');
    case 'secantusd-rs':
      return chooseSecantusRs(surroundings) ?? missing('build it: fleet-twin stack build-db');
    case 'secantusd-py':
      return chooseSecantusPy(surroundings);
    default:
      return missing(`${SERVER_VARIABLE} is ${wanted}; it can be mongod, secantusd-rs or secantusd-py`);
  }
}

function chooseMongod({ onPath }: Surroundings): Choice | undefined {
  const location = onPath('mongod');
  return location === undefined
    ? undefined
    : { source: 'path', server: 'mongod', version: '', why: 'mongod is on the PATH', location };
}

function chooseSecantusRs(surroundings: Surroundings): Choice | undefined {
  const found = findSecantusRs(surroundings);
  if (found === undefined) return undefined;
  const why = found.source === 'path' ? 'secantusd-rs is on the PATH' : 'was built into the cache';
  return { ...found, server: 'secantusd-rs', version: found.source === 'path' ? '' : SECANTUS_RS_VERSION, why };
}

function server(choice: Choice, _surroundings: Surroundings, place: Place): Server {
  if (choice.location === undefined) throw new PartMissing('mongodb', choice.advice ?? 'not fetched');
  return choice.server === 'mongod' ? mongod(choice.location, place) : secantus(choice.location, choice.server, place);
}

function mongod(command: string, { dataDir, port }: Place): Server {
  const url = `mongodb://127.0.0.1:${port}/?directConnection=true`;
  const settings = [
    '--setParameter',
    `transactionLifetimeLimitSeconds=${TRANSACTION_SECONDS}`,
    '--wiredTigerCacheSizeGB',
    '0.5',
  ];
  return {
    command,
    args: ['--bind_ip', '127.0.0.1', '--port', String(port), '--dbpath', dataDir, '--replSet', 'fleet', ...settings],
    url,
    prepare: async () => void mkdirSync(dataDir, { recursive: true }),
    ready: () => readyReplicaSet(url, `127.0.0.1:${port}`),
  };
}

/** `--sync-on-commit`: without it a kill loses the last 100 ms of acknowledged writes. */
function secantus(command: string, kind: string, { dataDir, port }: Place): Server {
  const url = `mongodb://127.0.0.1:${port}/?directConnection=true`;
  const settings = join(dataDir, 'secantusd.toml');
  const args = [
    '--config',
    settings,
    '--host',
    '127.0.0.1',
    '--port',
    String(port),
    '--storage-path',
    join(dataDir, 'store'),
  ];
  const small = kind === 'secantusd-rs' ? ['--log-file-max', '16MB'] : [];
  return {
    command,
    args: [...args, '--log-level', 'WARNING', '--sync-on-commit', '--cache-size', '1G', ...small],
    url,
    // An empty settings file keeps one that the user has for another purpose from being found.
    prepare: async () => {
      mkdirSync(join(dataDir, 'store'), { recursive: true });
      writeFileSync(settings, '');
    },
    ready: async () => {
      await probeMongodb(url);
      await limitTransactions(url, TRANSACTION_SECONDS);
    },
  };
}
