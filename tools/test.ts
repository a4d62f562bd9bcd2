import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findChromium } from '../test/browser/find-chromium.ts';
import { buildKernels } from './build-kernels.ts';
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
}

let chromium: string;
try {
  chromium = findChromium();
} catch (thrown) {
  process.stderr.write(`${(thrown as Error).message}\n`);
  process.exit(1);
}
await buildKernels();
await buildPages();

const totals = { passed: 0, failed: 0, skipped: 0 };
const only = process.argv.includes('--project');
// One after the other: a browser that is measured should have the machine to itself.
for (const project of only ? [null] : ['unit', 'e2e', 'alone']) {
  const report = join(tmpdir(), `coppice-test-${process.pid}.json`);
  const which = project === null ? process.argv.slice(2) : ['--project', project, ...process.argv.slice(2)];
  const code = await run(
    'vitest',
    ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...which],
    { COPPICE_CHROMIUM: chromium },
  );
  const { passed, failed, skipped } = read(report);
  totals.passed += passed;
  totals.skipped += skipped;
  // A failure outside of tests counts, too: a file that cannot be loaded, an error after the end.
  totals.failed += code !== 0 && failed === 0 ? 1 : failed;
  rmSync(report, { force: true });
}
const { passed, failed, skipped } = totals;
process.stdout.write(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
process.exitCode = failed === 0 ? 0 : 1;

function read(report: string): typeof totals {
  try {
    const result = JSON.parse(readFileSync(report, 'utf8')) as VitestReport;
    return { passed: result.numPassedTests, failed: result.numFailedTests, skipped: result.numPendingTests };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}
