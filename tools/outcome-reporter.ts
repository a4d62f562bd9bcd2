import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/** The variable with the path of the file that the outcome is written to. */
export const OUTCOME_FILE = 'COPPICE_TEST_OUTCOME';

export interface Failure {
  /** Absolute path. */
  readonly file: string;
  /** The test with its suites; empty where the file or its hooks failed. */
  readonly test: string;
  readonly message: string;
}

/** The outcome of one run of vitest. */
export interface Outcome {
  readonly files: readonly {
    readonly file: string;
    readonly passed: number;
    readonly failed: number;
    readonly skipped: number;
  }[];
  readonly failures: readonly Failure[];
  /** Stacks of errors that belong to no test, such as an unhandled rejection. */
  readonly errors: readonly string[];
}

/** Writes the outcome of a run as JSON, with the errors outside of tests that vitest's own JSON reporter leaves out. */
export default class OutcomeReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const path = process.env[OUTCOME_FILE];
    if (path === undefined) return;
    writeFileSync(path, JSON.stringify(outcomeOf(modules, errors)));
  }
}

function outcomeOf(modules: readonly TestModule[], errors: readonly SerializedError[]): Outcome {
  const failures: Failure[] = [];
  const files = modules.map((module) => {
    const file = module.moduleId;
    const count = { passed: 0, failed: 0, skipped: 0 };
    for (const test of module.children.allTests()) {
      const { state, errors } = test.result();
      count[state === 'pending' ? 'failed' : state]++;
      if (state === 'failed') failures.push({ file, test: test.fullName, message: messageOf(errors?.[0]) });
    }
    // A file that cannot be loaded, or whose hooks fail, may have no test that failed.
    const outside = [module, ...module.children.allSuites()].flatMap((suite) => suite.errors());
    for (const error of outside) failures.push({ file, test: '', message: messageOf(error) });
    if (module.state() === 'failed') count.failed = Math.max(1, count.failed);
    return { file, ...count };
  });
  return { files, failures, errors: errors.map((error) => error.stack ?? messageOf(error)) };
}

function messageOf(error: SerializedError | undefined): string {
  return error === undefined ? 'no error was told' : `${error.name ?? 'Error'}: ${error.message}`;
}
