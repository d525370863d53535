import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AccessModule } from '../../src/access/access.module.js';
import { GraphqlModule } from '../../src/graphql/graphql.module.js';
import { HealthModule } from '../../src/health/health.module.js';
import { MetricsModule } from '../../src/metrics/metrics.module.js';
import { readSettings } from '../../src/settings/settings.js';
import { type Database, prepareDatabase } from '../../src/twin/database.js';
import { DATABASE, TwinModule } from '../../src/twin/twin.module.js';

export interface Answer<T> {
  readonly status: number;
  readonly data: T;
  readonly errors?: { message: string; path?: (string | number)[]; extensions: { code: string } }[];
}

/** The API role by itself, on a free port, with a database of its own. */
export interface Api {
  readonly app: NestFastifyApplication;
  readonly database: Database;
  readonly url: string;
  query<T = Record<string, unknown>>(
    query: string,
    variables?: Record<string, unknown>,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer<T>>;
  /** Drops the database and closes everything. */
  stop(): Promise<void>;
}

export interface ApiOptions {
  readonly database: string;
  readonly uri?: string;
  readonly clock?: () => number;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether `database.client` tells every command. */
  readonly monitorCommands?: boolean;
  /** Whether the database is left as an earlier run has left it. */
  readonly keep?: boolean;
}

export async function startApi({
  database: name,
  uri = givenUri(),
  clock,
  env,
  monitorCommands = false,
  keep = false,
}: ApiOptions): Promise<Api> {
  const settings = readSettings({
    MONGODB_URI: monitorCommands ? monitored(uri) : uri,
    MONGODB_DATABASE: name,
    ...env,
  });
  @Module({
    imports: [
      TwinModule.with(settings),
      HealthModule.with(),
      MetricsModule.with(),
      AccessModule.with(settings),
      GraphqlModule.with(settings, clock),
    ],
  })
  class ApiModule {}
  const app = await NestFactory.create<NestFastifyApplication>(
    ApiModule,
    new FastifyAdapter({ forceCloseConnections: true }),
    { logger: false, abortOnError: false },
  );
  const database = app.get<Database>(DATABASE);
  if (!keep) await database.db.dropDatabase();
  await prepareDatabase(database, 0);
  await app.listen(0, '127.0.0.1').catch(async (fault: unknown) => {
    await app.close();
    throw fault;
  });
  const url = await app.getUrl();
  const stop = async () => {
    await database.db.dropDatabase();
    await app.close();
  };
  return { app, database, url, query: (query, variables, headers) => post(url, query, variables, headers), stop };
}

function monitored(uri: string): string {
  if (uri.includes('?')) return `${uri}&monitorCommands=true`;
  return `${uri.replace(/\/$/, '')}/?monitorCommands=true`;
}

function givenUri(): string {
  const uri = process.env['MONGODB_URI'];
  if (!uri) throw new Error('MONGODB_URI is not set: npm test starts the stack and sets it');
  return uri;
}

async function post<T>(
  url: string,
  query: string,
  variables?: Record<string, unknown>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer<T>> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query, variables }),
  });
  return { status: response.status, ...((await response.json()) as Omit<Answer<T>, 'status'>) };
}
