// `npm run check`: every check runs even if an earlier one failed; what passes says one line, what fails says everything.
import { execFile } from 'node:child_process';
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
/** Checks that run at a time: most of them keep one core busy. */
const SIDE_BY_SIDE = 2;

const waiting = [...CHECKS.entries()];
const outcomes = [];
await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work));
for (const outcome of outcomes) process.stdout.write(outcome.text);
const failed = outcomes.filter(({ passed }) => !passed).length;
process.stdout.write(`check: ${CHECKS.length - failed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;

async function work() {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const [place, check] = next;
    outcomes[place] = await outcomeOf(check);
  }
}

/** Never rejects: what could not be started has failed. */
function outcomeOf([name, command, args]) {
  const options = { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' }, maxBuffer: Infinity };
  return new Promise((resolve) => {
    execFile(command, args, options, (error, stdout, stderr) => {
      if (!error) resolve({ passed: true, text: `ok      ${name}\n` });
      else resolve({ passed: false, text: `FAILED  ${name}\n${stdout}${stderr}${stdout || stderr ? '' : `${error.message}\n`}` });
    });
  });
}
