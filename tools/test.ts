import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findChromium } from '../test/browser/find-chromium.ts';
import { buildPages } from './build-pages.ts';
import { run } from './run.ts';

/*
 * `pnpm test`: finds or installs a browser, builds the pages, runs every test, and ends with the line
 * "N passed, N failed".
 */
interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numFailedTestSuites: number;
  readonly success: boolean;
}

const report = join(tmpdir(), `coppice-test-${process.pid}.json`);
let chromium: string;
try {
  chromium = findChromium();
} catch (thrown) {
  process.stderr.write(`${(thrown as Error).message}\n`);
  process.exit(1);
}
await buildPages();
const code = await run(
  'vitest',
  ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...process.argv.slice(2)],
  { COPPICE_CHROMIUM: chromium },
);
let passed = 0;
let failed = 0;
let skipped = 0;
try {
  const result = JSON.parse(readFileSync(report, 'utf8')) as VitestReport;
  passed = result.numPassedTests;
  skipped = result.numPendingTests;
  // A file that cannot even be loaded has no failed test, yet has failed.
  failed =
    result.numFailedTests > 0 || result.success
      ? result.numFailedTests
      : Math.max(1, result.numFailedTestSuites);
} catch {
  failed = 1;
}
rmSync(report, { force: true });
process.stdout.write(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
process.exitCode = code === 0 && failed === 0 ? 0 : 1;
