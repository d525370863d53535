import { execFileSync } from 'node:child_process';
import { findJava } from './kafka.js';
import { PART_NAMES, type Choice } from './part.js';
import { PARTS } from './parts.js';
import { projectFolder } from './project-folder.js';
import type { Surroundings } from './surroundings.js';
import { describeTensorflow } from './tensorflow.js';

export interface Finding {
  readonly part: string;
  readonly choice: Choice;
}

/** What would be used and why. Starts nothing and fetches nothing. */
export function examine(surroundings: Surroundings): Finding[] {
  const parts = PART_NAMES.map((name) => ({ part: name, choice: withVersion(PARTS[name].choose(surroundings)) }));
  return [
    ...parts,
    { part: 'tensorflow', choice: describeTensorflow(projectFolder(), surroundings) },
    java(surroundings),
  ];
}

/** A table, then one line for everything that is missing or could be better. */
export function report(findings: readonly Finding[]): string[] {
  const rows = findings.map(({ part, choice }) => [
    part,
    choice.server,
    choice.version || '-',
    choice.source,
    choice.why,
  ]);
  const advice = findings.flatMap(({ part, choice }) =>
    choice.advice === undefined ? [] : [`${part}: ${choice.advice}`],
  );
  return [...table([['part', 'would use', 'version', 'from', 'why'], ...rows]), ...advice];
}

export function table(rows: readonly (readonly string[])[]): string[] {
  const columns = rows[0]?.length ?? 0;
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function withVersion(choice: Choice): Choice {
  if (choice.version !== '' || choice.source === 'environment' || choice.location === undefined) return choice;
  if (choice.server === 'aedes' || choice.server === 'mosquitto') return choice;
  return { ...choice, version: firstVersion(choice.location, ['--version']) };
}

function java(surroundings: Surroundings): Finding {
  const location = findJava(surroundings);
  const what = { server: 'java', why: 'Kafka runs on it' };
  if (location !== undefined) {
    return {
      part: 'java',
      choice: { ...what, source: 'path', version: firstVersion(location, ['--version']), location },
    };
  }
  return { part: 'java', choice: { ...what, source: 'missing', version: '' } };
}

function firstVersion(program: string, args: readonly string[]): string {
  try {
    const output = execFileSync(program, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 5_000,
    });
    return /\d+\.\d+[\w.-]*/.exec(output)?.[0] ?? '';
  } catch {
    return '';
  }
}
