import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { parsePartition } from '@coppice/datasets';
import { type CheckpointId, CheckpointIdSchema, type Plan, planFields } from '@coppice/protocol';

/** What is wrong with the command line: the flag, and what it takes. Exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface SimulateOptions {
  readonly task: string;
  readonly clients: number;
  readonly fraction: number | null;
  readonly cohort: number | null;
  readonly rounds: number;
  readonly epochs: number | null;
  readonly batchSize: number | null;
  readonly learningRate: number | null;
  readonly proximal: number | null;
  readonly partition: string;
  readonly strategy: 'fedavg';
  readonly uploadCodec: Plan['uploadCodec'];
  readonly downloadCodec: Plan['downloadCodec'];
  readonly downloadForm: Plan['downloadForm'];
  readonly targetAccuracy: number | null;
  readonly seed: number;
  readonly dropout: number;
  readonly overSelect: number;
  readonly backend: 'planned' | 'wasm' | 'cpu';
  readonly url: string | null;
  /** A checkpoint of that coordinator, `<run>/<round>`. */
  readonly from: CheckpointId | null;
  readonly adminKey: string | null;
  readonly invited: boolean;
  readonly json: boolean;
  readonly report: string | null;
  readonly processes: number;
}

interface Flag {
  readonly takes: string | null;
  readonly help: string;
  readonly read?: (text: string) => unknown;
}

const whole = (min: number, max: number) => (text: string) => {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max)
    throw new UsageError(`takes a whole number from ${min} to ${max}`);
  return value;
};
const real =
  (min: number, max: number, { open = false } = {}) =>
  (text: string) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (!(open ? value > min : value >= min) || value > max) {
      throw new UsageError(
        `takes a number ${open ? 'above' : 'from'} ${min} ${open ? 'and up' : ''} to ${max}`.replace(
          '  ',
          ' ',
        ),
      );
    }
    return value;
  };
const oneOf =
  (...names: string[]) =>
  (text: string) => {
    if (!names.includes(text)) throw new UsageError(`takes one of ${names.join(', ')}`);
    return text;
  };

/** The names that a field of the plan takes. */
const namesOf = (field: 'uploadCodec' | 'downloadCodec' | 'downloadForm') =>
  planFields[field].input.kind === 'choice' ? planFields[field].input.options.map(({ value }) => value) : [];

const flags = {
  task: { takes: 'ID', help: 'What is learned (default: mnist-2nn).' },
  clients: { takes: 'N', help: 'Headless participants (default: 20).', read: whole(1, 100_000) },
  fraction: {
    takes: 'C',
    help: 'Share of them asked each round (default: 1).',
    read: real(0, 1, { open: true }),
  },
  cohort: { takes: 'K', help: 'Or: how many are asked each round.', read: whole(1, 100_000) },
  rounds: {
    takes: 'R',
    help: 'Rounds at most (default: 20; 1000 with --target-accuracy).',
    read: whole(1, 100_000),
  },
  epochs: { takes: 'E', help: 'Local epochs (default: 1).', read: whole(1, 1000) },
  'batch-size': { takes: 'B', help: 'Examples per step (default: 10).', read: whole(1, 65_536) },
  'learning-rate': {
    takes: 'ETA',
    help: "Local learning rate (default: the task's; 0.1 for mnist-2nn).",
    read: real(0, 100, { open: true }),
  },
  proximal: {
    takes: 'MU',
    help: "FedProx's pull to the model that a round began from (default: the task's; 0).",
    read: real(0, 100),
  },
  partition: {
    takes: 'HOW',
    help: 'iid, shards:S (S label-sorted shards each) or dirichlet:ALPHA (default: iid).',
  },
  strategy: { takes: 'NAME', help: 'Aggregation (default and only one: fedavg).', read: oneOf('fedavg') },
  'upload-codec': {
    takes: 'NAME',
    help: `How updates travel: ${namesOf('uploadCodec').join(', ')} (default: float32).`,
    read: oneOf(...namesOf('uploadCodec')),
  },
  'download-codec': {
    takes: 'NAME',
    help: `How models travel: ${namesOf('downloadCodec').join(', ')} (default: float32).`,
    read: oneOf(...namesOf('downloadCodec')),
  },
  'download-form': {
    takes: 'NAME',
    help: `What travels down: ${namesOf('downloadForm').join(', ')} (default: whole).`,
    read: oneOf(...namesOf('downloadForm')),
  },
  'target-accuracy': { takes: 'A', help: 'Stop when the test accuracy reaches A (0–1).', read: real(0, 1) },
  seed: {
    takes: 'S',
    help: 'Same seed and flags: same checkpoint (default: 1).',
    read: whole(0, 0xffff_ffff),
  },
  dropout: {
    takes: 'P',
    help: 'Chance that a selected client drops out of a round, drawn from the seed (default: 0).',
    read: real(0, 1),
  },
  'over-select': {
    takes: 'X',
    help: 'Ask X times the cohort, take the first (default: 1; above 1 the result depends on timing).',
    read: real(1, 5),
  },
  backend: {
    takes: 'NAME',
    help: 'planned, wasm or cpu; fixed, so that results repeat (default: planned).',
    read: oneOf('planned', 'wasm', 'cpu'),
  },
  url: { takes: 'URL', help: 'Use a running coordinator instead of one of its own.' },
  'admin-key': { takes: 'KEY', help: 'The admin key of that coordinator (or COPPICE_ADMIN_KEY).' },
  from: {
    takes: 'CHECKPOINT',
    help: 'Begin from a checkpoint of that coordinator, <run>/<round>, instead of the seed (with --url).',
    read: (text) => {
      if (!CheckpointIdSchema.safeParse(text).success)
        throw new UsageError('takes <run>/<round>, such as iris-1/5');
      return text;
    },
  },
  invited: {
    takes: null,
    help: 'Launch the run by invitation, and give each client the invitation.',
  },
  json: { takes: null, help: 'JSON lines on stdout, nothing else.' },
  report: { takes: 'DIR', help: 'Write report.html, report.json and rounds.csv there.' },
  processes: { takes: 'P', help: 'Worker threads that train (default: all cores).', read: whole(1, 256) },
  help: { takes: null, help: 'This text.' },
} as const satisfies Record<string, Flag>;

/** @throws UsageError naming the flag and what it takes. */
export function readOptions(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): SimulateOptions | 'help' {
  const args = argv[0] === '--' ? argv.slice(1) : [...argv];
  const types = Object.fromEntries(
    Object.entries(flags).map(([name, { takes }]) => [
      name,
      { type: takes === null ? 'boolean' : 'string' } as const,
    ]),
  );
  let given: Record<string, unknown>;
  try {
    given = parseArgs({ args, options: types, strict: true }).values;
  } catch (cause) {
    throw new UsageError(
      `${(cause as Error).message.split(/[.\n]/)[0]}. See --help for the flags there are.`,
      {
        cause,
      },
    );
  }
  if (given.help === true) return 'help';
  const value = <T>(name: keyof typeof flags, fallback: T): T => {
    const text = given[name];
    if (text === undefined) return fallback;
    const flag: Flag = flags[name];
    if (flag.read === undefined || typeof text !== 'string') return text as T;
    try {
      return flag.read(text) as T;
    } catch (cause) {
      throw new UsageError(`--${name} ${flag.takes} ${(cause as Error).message}, not "${text}".`, { cause });
    }
  };
  if (given.fraction !== undefined && given.cohort !== undefined) {
    throw new UsageError('--fraction C and --cohort K say the same thing in two ways; give one of them.');
  }
  const partition = value('partition', 'iid');
  try {
    parsePartition(partition);
  } catch (cause) {
    throw new UsageError(
      `--partition HOW takes iid, shards:S or dirichlet:ALPHA. ${(cause as Error).message}`,
      { cause },
    );
  }
  const url = value<string | null>('url', null);
  if (url !== null && !URL.canParse(url))
    throw new UsageError(
      `--url URL takes the address of a coordinator such as http://127.0.0.1:8080, not "${url}".`,
    );
  const adminKey = value<string | null>('admin-key', env.COPPICE_ADMIN_KEY ?? null);
  if (url !== null && adminKey === null)
    throw new UsageError('--url URL needs --admin-key KEY too: the key that coordinator printed.');
  const from = value<CheckpointId | null>('from', null);
  if (from !== null && url === null)
    throw new UsageError(
      '--from CHECKPOINT needs --url URL too: a coordinator of its own has no checkpoints to begin from.',
    );
  const targetAccuracy = value<number | null>('target-accuracy', null);
  const clients = value('clients', 20);
  const cohort = value<number | null>('cohort', null);
  if (cohort !== null && cohort > clients)
    throw new UsageError(`--cohort K takes at most the number of clients, ${clients}, not "${cohort}".`);
  return {
    task: value('task', 'mnist-2nn'),
    clients,
    fraction: value<number | null>('fraction', null),
    cohort,
    rounds: value('rounds', targetAccuracy === null ? 20 : 1000),
    epochs: value<number | null>('epochs', null),
    batchSize: value<number | null>('batch-size', null),
    learningRate: value<number | null>('learning-rate', null),
    proximal: value<number | null>('proximal', null),
    partition,
    strategy: value('strategy', 'fedavg'),
    uploadCodec: value('upload-codec', 'float32'),
    downloadCodec: value('download-codec', 'float32'),
    downloadForm: value('download-form', 'whole'),
    targetAccuracy,
    seed: value('seed', 1),
    dropout: value('dropout', 0),
    overSelect: value('over-select', 1),
    backend: value('backend', 'planned'),
    url: url?.replace(/\/$/, '') ?? null,
    from,
    adminKey,
    invited: value('invited', false),
    json: value('json', false),
    report: value<string | null>('report', null),
    processes: Math.min(value('processes', availableParallelism()), clients),
  };
}

export function usage(): string {
  const lines = Object.entries(flags).map(
    ([name, { takes, help }]) => `  ${`--${name}${takes === null ? '' : ` ${takes}`}`.padEnd(24)}${help}`,
  );
  return `Usage: pnpm simulate [flags]\n\nTrains one model with N headless clients over the real protocol.\n\n${lines.join('\n')}\n\nExit codes: 0 done, 1 failed, 2 bad usage, 3 target accuracy not reached.\n`;
}
