import { parseArgs } from 'node:util';
import { type Flag, UsageError, whole } from '../flag.ts';
import type { Scenario } from './scenario.ts';
import { scenarios } from './scenarios/index.ts';

export interface ScenarioOptions {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly report: string | null;
  readonly json: boolean;
}

const LARGEST_SEED = 2 ** 32 - 1;

const flags = {
  seed: {
    takes: 'S',
    help: 'Fixes all data and all draws: the same seed gives the same report. Default: 1.',
    read: whole(0, LARGEST_SEED),
  },
  report: { takes: 'DIR', help: 'Write report.html, report.json and periods.csv there.' },
  json: { takes: null, help: 'JSON lines on stdout, nothing else; the last one has the result.' },
  list: { takes: null, help: 'The scenarios there are.' },
  help: { takes: null, help: 'This text.' },
} as const satisfies Record<string, Flag>;

/** @throws UsageError naming the flag and its valid values. */
export function readScenarioOptions(argv: readonly string[]): ScenarioOptions | 'help' | 'list' {
  const args = argv[0] === '--' ? argv.slice(1) : [...argv];
  const { values, positionals } = parsed(args);
  if (values['help'] === true) return 'help';
  if (values['list'] === true) return 'list';
  const known = scenarios.map(({ name }) => name).join(', ');
  const [name, ...more] = positionals;
  if (name === undefined) throw new UsageError(`NAME is missing: one of ${known}.`);
  if (more.length > 0) throw new UsageError(`One scenario at a time: "${name}", or "${more[0]}".`);
  const scenario = scenarios.find((one) => one.name === name);
  if (scenario === undefined) throw new UsageError(`NAME takes one of ${known}, not "${name}".`);
  return {
    scenario,
    seed: seedOf(values['seed']),
    report: typeof values['report'] === 'string' ? values['report'] : null,
    json: values['json'] === true,
  };
}

function parsed(args: string[]) {
  const options = Object.fromEntries(
    Object.entries<Flag>(flags).map(([name, { takes }]) => [
      name,
      { type: takes === null ? 'boolean' : 'string' } as const,
    ]),
  );
  try {
    return parseArgs({ args, options, strict: true, allowPositionals: true });
  } catch (cause) {
    const what = (cause as Error).message.split(/[.\n]/)[0];
    throw new UsageError(`${what}. See --help for the flags there are.`, { cause });
  }
}

function seedOf(text: unknown): number {
  if (typeof text !== 'string') return 1;
  try {
    return flags.seed.read(text);
  } catch (cause) {
    throw new UsageError(`--seed S ${(cause as Error).message}, not "${text}".`, { cause });
  }
}

/** The text of `--list`. */
export function listText(): string {
  return `${aligned(scenarios.map(({ name, summary }) => [name, summary]))}\n`;
}

/** The text of `--help`. */
export function scenarioUsage(): string {
  const listed = Object.entries<Flag>(flags).map(
    ([name, { takes, help }]) => [`--${name}${takes === null ? '' : ` ${takes}`}`, help] as const,
  );
  return `Usage: pnpm scenario NAME [flags]

Plays a script of data that change after a model was released, over the real protocol, in three ways: the loop of monitoring,
retraining, comparison and canary; no retraining; retraining on a fixed schedule.

Scenarios
${aligned(scenarios.map(({ name, summary }) => [`  ${name}`, summary]))}

Flags
${aligned(listed.map(([flag, help]) => [`  ${flag}`, help]))}

Exit codes: 0 done, 1 failed or interrupted, 2 bad usage, 141 the reader of standard output closed it (as by SIGPIPE).
`;
}

function aligned(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([first]) => first.length)) + 2;
  return rows.map(([first, second]) => `${first.padEnd(width)}${second}`).join('\n');
}
