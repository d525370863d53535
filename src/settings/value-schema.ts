import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { ErrorObject } from 'ajv';
import type { Ajv2020 as Ajv } from 'ajv/dist/2020.js';
import { SettingsError } from './settings.js';

/** What is wrong with a value, in words with the place first; null where nothing is. */
export type ValueCheck = (value: unknown) => string | null;

// Both are CommonJS whose default exports TypeScript and Node see differently.
const require = createRequire(import.meta.url);
const { Ajv2020 } = require('ajv/dist/2020.js') as { Ajv2020: new (options: object) => Ajv };
const addFormats = require('ajv-formats') as (ajv: Ajv) => void;

/**
 * The check that a JSON Schema (draft 2020-12) in a file describes.
 * @param name of the setting that names the file
 * @throws SettingsError where there is no such file or it holds no schema
 */
export function loadValueCheck(name: string, file: string): ValueCheck {
  const ajv = new Ajv2020({ allErrors: false, strict: false, ownProperties: true });
  addFormats(ajv);
  try {
    const validate = ajv.compile(JSON.parse(readFileSync(file, 'utf8')) as object);
    return (value) => (validate(value) ? null : told(validate.errors?.[0]));
  } catch (error) {
    throw new SettingsError(`${name}: ${file} holds no JSON Schema that can be used: ${(error as Error).message}`);
  }
}

function told(error: ErrorObject | undefined): string {
  const extra = (error?.params as { additionalProperty?: string } | undefined)?.additionalProperty;
  const place = error?.instancePath.slice(1).replaceAll('/', '.') ?? '';
  return `${place === '' ? 'they' : place}: ${error?.message ?? 'not valid'}${extra === undefined ? '' : ` (${extra})`}`;
}
