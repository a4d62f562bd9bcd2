import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { findChromium } from '../test/browser/find-chromium.ts';
import { buildKernels } from './build-kernels.ts';
import { buildPages } from './build-pages.ts';
import { type Failure, OUTCOME_FILE, type Outcome } from './outcome-reporter.ts';
import { root, run } from './run.ts';

/*
 * `pnpm test`: finds or installs a browser, builds the pages, runs every test, and ends with the line
 * "N passed, N failed".
 */
/** Outcomes of one project, file by file. */
interface Results {
  readonly files: ReadonlyMap<string, FileResult>;
  readonly failures: readonly Failure[];
  /** Failures outside of files: errors of no test, or no outcome at all. */
  readonly errors: readonly string[];
}

type FileResult = Omit<Outcome['files'][number], 'file'>;

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
/** Everything that failed, for the end of the output: a log may be cut to its last lines. */
const told: string[] = [];
const given = process.argv.slice(2);
const isName = (at: number) => given[at - 1] === '--project';
const named = given.filter((_, at) => isName(at));
const others = given.filter((argument, at) => argument !== '--project' && !isName(at));
// One after the other: a browser that is measured should have the machine to itself.
const suites = [['unit', 'unit-apart'], ['e2e'], ['alone']];
for (const projects of named.length > 0 ? named.map((name) => [name]) : suites) {
  const first = await results(projects, others);
  const { files } = first;
  const failed = [...files].filter(([, file]) => file.failed > 0).map(([name]) => name);
  const again =
    failed.length > 0 && projects.every((name) => triedTwice.has(name))
      ? await results(projects, failed)
      : null;
  for (const [name, file] of files) {
    const second = again?.files.get(name);
    if (second?.failed === 0) secondTries.push(name);
    const counted = second ?? file;
    total.passed += counted.passed;
    total.failed += counted.failed;
    total.skipped += counted.skipped;
  }
  const { failures, errors } = again ?? first;
  total.failed += errors.length;
  told.push(...failures.map(lineOf), ...errors.map((error) => `Outside of tests: ${error}`));
}
const { passed, failed, skipped } = total;
for (const file of secondTries)
  process.stdout.write(`\nPassed at the second try: ${relative(root, file)}. See above for its failure.`);
for (const line of told) process.stdout.write(`\nFailed: ${line}`);
process.stdout.write(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
process.exitCode = failed === 0 ? 0 : 1;

function lineOf({ file, test, message }: Failure): string {
  return `${relative(root, file)}${test === '' ? '' : ` > ${test}`}: ${message}`;
}

async function results(projects: readonly string[], which: readonly string[]): Promise<Results> {
  const path = join(tmpdir(), `coppice-test-${process.pid}.json`);
  const code = await run(
    'vitest',
    [
      'run',
      '--reporter=default',
      `--reporter=${join(root, 'tools', 'outcome-reporter.ts')}`,
      ...projects.flatMap((name) => ['--project', name]),
      ...which,
    ],
    { COPPICE_CHROMIUM: chromium, [OUTCOME_FILE]: path },
  );
  const { files, failures, errors } = read(path);
  rmSync(path, { force: true });
  const isTold = files.some((file) => file.failed > 0) || errors.length > 0;
  return {
    files: new Map(files.map(({ file, ...counts }) => [file, counts])),
    failures,
    errors: code === 0 || isTold ? errors : [`vitest ended with code ${code}, and told no failure.`],
  };
}

function read(path: string): Outcome {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Outcome;
  } catch {
    return { files: [], failures: [], errors: [] };
  }
}
