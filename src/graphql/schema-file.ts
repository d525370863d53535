import 'reflect-metadata';
import { readFile, writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { NestFactory } from '@nestjs/core';
import { GraphQLSchemaBuilderModule, GraphQLSchemaFactory } from '@nestjs/graphql';
import { lexicographicSortSchema, printSchema } from 'graphql/index.js';
import { RESOLVERS } from './resolvers.js';

/** Seen from the folder of the project. */
export const SCHEMA_FILE = 'schemas/schema.graphql';

const HEADER = '# Made from src/graphql by `npm run schema`; not edited by hand.\n\n';

/** The text of schemas/schema.graphql as the code has it now. */
export async function generateSchema(): Promise<string> {
  const app = await NestFactory.createApplicationContext(GraphQLSchemaBuilderModule, { logger: false });
  try {
    const schema = await app.get(GraphQLSchemaFactory).create(RESOLVERS);
    return `${HEADER}${printSchema(lexicographicSortSchema(schema))}\n`;
  } finally {
    await app.close();
  }
}

/** Compares the file with the code, or writes it with `--write`. Returns whether the file is right now. */
export async function checkSchemaFile(file: string, write: boolean): Promise<boolean> {
  const schema = await generateSchema();
  if (write) await writeFile(file, schema);
  return (await readFile(file, 'utf8').catch(() => '')) === schema;
}

const called = process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href;
if (called) {
  const fresh = await checkSchemaFile(SCHEMA_FILE, process.argv.includes('--write'));
  if (!fresh) {
    process.stderr.write('schemas/schema.graphql is not what src/graphql says; run it with --write\n');
    process.exitCode = 1;
  }
}
