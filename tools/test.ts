import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { findChromium } from '../test/browser/find-chromium.ts';
import { buildKernels } from './build-kernels.ts';
import { buildPages } from './build-pages.ts';
import { root, run } from './run.ts';

/*
 * `pnpm test`: finds or installs a browser, builds the pages, runs every test, and ends with the line
 * "N passed, N failed".
 */
interface VitestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/** Outcomes of one project, file by file. */
interface Results {
  readonly files: ReadonlyMap<string, FileResult>;
  /** A failure outside of files: no report, or an error after the end. */
  readonly broken: boolean;
}

interface FileResult {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/**
 * Projects whose files are tried once more when they fail: a browser on a busy machine is a race now and then. The whole
 * file is tried, with servers and browsers of its own, since half of a test leaves its world as no test expects it.
 */
const triedTwice = new Set(['e2e', 'alone']);

let chromium: string;
try {
  chromium = findChromium();
} catch (thrown) {
  process.stderr.write(`${(thrown as Error).message}\n`);
  process.exit(1);
}
await buildKernels();
await buildPages();

const total = { passed: 0, failed: 0, skipped: 0 };
const secondTries: string[] = [];
const given = process.argv.slice(2);
const isName = (at: number) => given[at - 1] === '--project';
const named = given.filter((_, at) => isName(at));
const others = given.filter((argument, at) => argument !== '--project' && !isName(at));
// One after the other: a browser that is measured should have the machine to itself.
const suites = [['unit', 'unit-apart'], ['e2e'], ['alone']];
for (const projects of named.length > 0 ? named.map((name) => [name]) : suites) {
  const { files, broken } = await results(projects, others);
  const failed = [...files].filter(([, file]) => file.failed > 0).map(([name]) => name);
  const again =
    failed.length > 0 && projects.every((name) => triedTwice.has(name))
      ? await results(projects, failed)
      : null;
  for (const [name, first] of files) {
    const second = again?.files.get(name);
    if (second?.failed === 0) secondTries.push(name);
    const counted = second ?? first;
    total.passed += counted.passed;
    total.failed += counted.failed;
    total.skipped += counted.skipped;
  }
  if (again === null ? broken : again.broken) total.failed++;
}
const { passed, failed, skipped } = total;
for (const file of secondTries)
  process.stdout.write(`\nPassed at the second try: ${relative(root, file)}. See above for its failure.`);
process.stdout.write(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
process.exitCode = failed === 0 ? 0 : 1;

async function results(projects: readonly string[], which: readonly string[]): Promise<Results> {
  const report = join(tmpdir(), `coppice-test-${process.pid}.json`);
  const code = await run(
    'vitest',
    [
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...projects.flatMap((name) => ['--project', name]),
      ...which,
    ],
    { COPPICE_CHROMIUM: chromium },
  );
  const files = read(report);
  rmSync(report, { force: true });
  const anyFailed = [...files.values()].some((file) => file.failed > 0);
  return { files, broken: code !== 0 && !anyFailed };
}

function read(report: string): Map<string, FileResult> {
  let parsed: VitestReport;
  try {
    parsed = JSON.parse(readFileSync(report, 'utf8')) as VitestReport;
  } catch {
    return new Map();
  }
  return new Map(
    parsed.testResults.map(({ name, status, assertionResults }) => {
      const count = (...which: string[]) =>
        assertionResults.filter((one) => which.includes(one.status)).length;
      const failed = count('failed');
      // A file that cannot be loaded, or whose hooks fail, is a failure without a test that failed.
      return [
        name,
        {
          passed: count('passed'),
          failed: status === 'failed' ? Math.max(1, failed) : failed,
          skipped: count('pending', 'skipped', 'todo', 'disabled'),
        },
      ];
    }),
  );
}
