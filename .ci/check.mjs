// `npm run check`: every check runs even if an earlier one failed; what passes says one line, what fails says everything.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const bin = (name) => join('node_modules', '.bin', name);
const CHECKS = [
  ['format', bin('biome'), ['format', '.']],
  ['lint', bin('oxlint'), ['--type-aware', '--deny-warnings']],
  ['types', bin('tsc'), ['--noEmit', '-p', 'tsconfig.json']],
  ['arrows between folders', bin('vitest'), ['run', '--project', 'unit', 'test/structure.spec.ts']],
  ['schemas/schema.graphql is fresh', process.execPath, ['dist/src/graphql/schema-file.js']],
  ['nothing breaks schemas/released.graphql', process.execPath, ['dist/src/graphql/breaking-changes.js']],
  ['settings table of the README is fresh', process.execPath, ['dist/src/cli/main.js', 'settings', '--check', 'README.md']],
];

let failed = 0;
for (const [name, command, args] of CHECKS) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } });
  if (status === 0) {
    process.stdout.write(`ok      ${name}\n`);
    continue;
  }
  failed += 1;
  process.stdout.write(`FAILED  ${name}\n${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}\n`);
}
process.stdout.write(`check: ${CHECKS.length - failed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
