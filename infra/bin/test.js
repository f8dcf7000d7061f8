#!/usr/bin/env node
/**
 * `npm test`: runs the tests with Jest and ends with the true counts, alone on the last line: `N passed, N failed`, and
 * `, N skipped` where there are any. `npm run test:long` (`--long`) runs those that take minutes instead. Other arguments go
 * to Jest.
 */

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { spawnSync } = require('node:child_process');

const ROOT = path.resolve(__dirname, '../..');

function main(all) {
  const args = all.filter(argument => argument !== '--long');
  const env = { ...process.env, LONG_TESTS: args.length < all.length ? '1' : '' };
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'longhaul-test-'));
  const report = path.join(folder, 'report.json');
  try {
    const jest = path.join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
    const { status, signal } = spawnSync(process.execPath, [jest, '--json', `--outputFile=${report}`, ...args], {
      cwd: ROOT,
      env,
      stdio: ['inherit', 'ignore', 'inherit'], // with --json, standard output is the report again
    });
    if (signal) process.stderr.write(`Jest was ended by ${signal}\n`);
    const counts = fs.existsSync(report) ? count(JSON.parse(fs.readFileSync(report, 'utf8'))) : null;
    if (!counts) process.stderr.write('Jest ended without a report\n');
    const { passed, failed, skipped } = counts ?? { passed: 0, failed: 1, skipped: 0 };
    process.stdout.write(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}\n`);
    // Jest also fails for reasons that are no test's (a threshold, no tests at all): its word counts as well.
    return failed === 0 && status === 0 ? 0 : 1;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** A file that could not be run at all counts as one failure, for its tests are not in the totals. */
function count(report) {
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + report.numRuntimeErrorTestSuites,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

module.exports = { count };

if (require.main === module) process.exit(main(process.argv.slice(2)));
