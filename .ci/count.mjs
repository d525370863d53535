// Adds up what `npm run check` and the tests counted, and says it in the one line that closes CI.
// Arguments: the log of the check, its status, then of each run of tests its report and its status.
import { readFileSync } from 'node:fs';

const [checkLog, checkStatus, ...runs] = process.argv.slice(2);
const [, checksPassed = '0', checksFailed = '1'] = /check: (\d+) passed, (\d+) failed/.exec(readFileSync(checkLog, 'utf8')) ?? [];
let passed = Number(checksPassed);
let failed = Number(checksFailed);
let skipped = 0;
for (let run = 0; run < runs.length; run += 2) count(runs[run], runs[run + 1]);
if (checkStatus !== '0' && failed === 0) failed += 1;
process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

function count(file, status) {
  try {
    const report = JSON.parse(readFileSync(file, 'utf8'));
    passed += report.numPassedTests;
    // A suite that could not even be loaded has no test that could fail.
    failed += report.numFailedTests === 0 && status !== '0' ? 1 : report.numFailedTests;
    skipped += report.numPendingTests + report.numTodoTests;
    for (const suite of report.testResults) {
      const seconds = (suite.endTime - suite.startTime) / 1_000;
      if (seconds > 30) process.stdout.write(`${seconds.toFixed(0)} s in ${suite.name.split('/').slice(-3).join('/')}\n`);
    }
  } catch {
    process.stdout.write(`the tests left no report: ${file}\n`);
    failed += 1;
  }
}
