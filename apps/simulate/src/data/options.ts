import { parseArgs } from 'node:util';
import { type ReadingChoices, type Separator, separators } from '@coppice/datasets/reading';
import { type Flag, oneOf, UsageError, whole } from '../flag.ts';

export interface InspectOptions {
  readonly file: string;
  /** The id of a built-in task, or the path of a file; `null`: a schema is proposed. */
  readonly task: string | null;
  readonly target: string | null;
  readonly json: boolean;
  readonly choices: ReadingChoices;
}

/** Names of the separators that a command line can hardly hold. */
const NAMED: Readonly<Record<string, Separator>> = {
  tab: '\t',
  space: ' ',
  comma: ',',
  semicolon: ';',
  pipe: '|',
};

const flags = {
  task: { takes: 'ID|FILE', help: 'A built-in task, or the JSON of a task. Default: a schema is proposed.' },
  target: { takes: 'NAME', help: 'The column to learn, for the proposal. Default: the last one.' },
  json: { takes: null, help: 'One JSON object on one line.' },
  encoding: {
    takes: 'LABEL',
    help: 'The encoding, such as utf-8, gb18030 or windows-1252. Default: guessed.',
  },
  separator: {
    takes: 'SIGN',
    help: 'comma, semicolon, tab, pipe or space (a run of them). Default: guessed.',
    read: (text: string): Separator => {
      const found = NAMED[text] ?? separators.find((one) => one === text);
      if (found === undefined) throw new UsageError(`takes one of ${Object.keys(NAMED).join(', ')}`);
      return found;
    },
  },
  decimal: {
    takes: 'SIGN',
    help: 'point or comma. Default: guessed.',
    read: (text: string) => (oneOf('point', 'comma')(text) === 'comma' ? ',' : '.'),
  },
  header: {
    takes: 'yes|no',
    help: 'Whether the first row has the names of the columns. Default: guessed.',
    read: (text: string) => oneOf('yes', 'no')(text) === 'yes',
  },
  'title-rows': { takes: 'N', help: 'Rows before the table. Default: guessed.', read: whole(0, 1_000_000) },
  sheet: { takes: 'NAME', help: 'The sheet of a workbook. Default: the first one.' },
  help: { takes: null, help: 'This text.' },
} as const satisfies Record<string, Flag>;

/** @throws UsageError naming the flag and its valid values. */
export function readDataOptions(argv: readonly string[]): InspectOptions | 'help' {
  const args = argv[0] === '--' ? argv.slice(1) : [...argv];
  const { values, positionals } = parsed(args);
  if (values['help'] === true) return 'help';
  const [command, file, ...more] = positionals;
  if (command !== 'inspect')
    throw new UsageError(
      `pnpm data takes the command inspect${command === undefined ? '' : `, not "${command}"`}. See --help.`,
    );
  if (file === undefined) throw new UsageError('FILE is missing: the file to inspect.');
  if (more.length > 0) throw new UsageError(`One file at a time: "${file}", or "${more[0]}".`);
  const text = (name: keyof typeof flags) => (typeof values[name] === 'string' ? values[name] : null);
  const [task, target] = [text('task'), text('target')];
  if (task !== null && target !== null)
    throw new UsageError(
      '--target NAME is for a proposed schema; --task says the target itself. Give one of them.',
    );
  const choice = (name: keyof typeof flags, key: keyof ReadingChoices) => {
    const given = text(name);
    const flag: Flag = flags[name];
    if (given === null) return {};
    try {
      return { [key]: flag.read === undefined ? given : flag.read(given) };
    } catch (cause) {
      throw new UsageError(`--${name} ${flag.takes} ${(cause as Error).message}, not "${given}".`, { cause });
    }
  };
  return {
    file,
    task,
    target,
    json: values['json'] === true,
    choices: {
      ...choice('encoding', 'encoding'),
      ...choice('separator', 'separator'),
      ...choice('decimal', 'decimal'),
      ...choice('header', 'header'),
      ...choice('title-rows', 'titleRows'),
      ...choice('sheet', 'sheet'),
    },
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

/** The text of `--help`. */
export function dataUsage(): string {
  const listed = Object.entries<Flag>(flags).map(
    ([name, { takes, help }]) => [`--${name}${takes === null ? '' : ` ${takes}`}`, help] as const,
  );
  const width = Math.max(...listed.map(([flag]) => flag.length)) + 2;
  const text = listed.map(([flag, help]) => `  ${flag.padEnd(width)}${help}`).join('\n');
  return `Usage: pnpm data inspect FILE [flags]\n\nReads a table (CSV, TSV, .xlsx, Parquet) as the pages and simulations do, and says what it becomes.\n\n${text}\n\nExit codes: 0 rows were taken, 1 failed, 2 bad usage, 3 no row fits or the file is no table,\n141 the reader of standard output closed it (as by SIGPIPE).\n`;
}
