import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { PARTITION_FORMS, parsePartition } from '@coppice/datasets';
import {
  type PlanDescription,
  type PlanInputValues,
  type PlanValue,
  type PlanValues,
  planDescription,
  RunIdSchema,
  type StartOfRun,
  StartOfRunSchema,
} from '@coppice/protocol';
import { type Flag, type FlagGroup, oneOf, real, UsageError, whole } from './flag.ts';
import { planFlags, reportedFlags } from './plan-flags.ts';
import { checked, readPlanValue } from './plan-values.ts';
import { readTrace, type Trace } from './trace.ts';

export { UsageError };

/** The plan fields that every simulation sets itself. */
type SetBySimulation = 'rounds' | 'seed';

export interface SimulateOptions {
  readonly task: string;
  readonly taskGiven: boolean;
  /** The files of data of the person's own: to train on, to test with, the model, the task. */
  readonly data: string | null;
  readonly test: string | null;
  readonly model: string | null;
  readonly taskFile: string | null;
  /** The column to predict, where the schema is proposed from the data. */
  readonly target: string | null;
  readonly clients: number;
  /** False where the number of clients is the default, which `by-column` replaces by the number of values. */
  readonly clientsGiven: boolean;
  readonly partition: string;
  readonly dropout: number;
  /** The share of the examples that the clients never train on. */
  readonly heldOut: number;
  readonly backend: 'planned' | 'wasm' | 'cpu';
  readonly url: string | null;
  /** A checkpoint of that coordinator, `<run>/<round>`, the channel that names it, or `seed`. */
  readonly from: StartOfRun | null;
  readonly adminKey: string | null;
  readonly invited: boolean;
  /** An existing run of that coordinator to join, in place of a new one. */
  readonly run: string | null;
  /** The secret of an invitation to that run. */
  readonly invitation: string | null;
  /** The path of the trace, and its content. */
  readonly trace: string | null;
  readonly behaviour: Trace;
  /** The folder that keeps the simulation, so that it can go on; null: a temporary one. */
  readonly dataDir: string | null;
  readonly json: boolean;
  readonly report: string | null;
  readonly processes: number;
  /** The requested plan; the task decides the fields that it leaves out. */
  readonly plan: PlanInputValues & { readonly [K in SetBySimulation]: number };
  /** The plan fields set by flags. */
  readonly given: Readonly<Record<string, PlanValue>>;
}

const ownFlags = {
  task: { takes: 'ID', help: 'The task to learn. Default: mnist-2nn.' },
  data: {
    takes: 'PATH',
    help: 'Data of your own: a table as CSV, TSV, XLSX or Parquet, or a folder with a folder of pictures for each class. Without --task-file its columns are proposed, as by pnpm data inspect.',
  },
  test: {
    takes: 'PATH',
    help: 'Test data for each model. Default: 20 % of the examples of --data, drawn from the seed.',
  },
  model: {
    takes: 'FILE',
    help: 'A model to train: model.json with its .bin files, a zip of these, .keras or .h5; weights in it are the first ones. Default: a small network that fits the data.',
  },
  'task-file': { takes: 'FILE', help: 'A task as JSON, or its data schema alone, for --data.' },
  target: { takes: 'NAME', help: 'The column of --data to predict. Default: the last one.' },
  clients: { takes: 'N', help: 'Headless participants. Default: 20.', read: whole(1, 100_000) },
  partition: {
    takes: 'HOW',
    help: 'iid, shards:S (S label-sorted shards each), dirichlet:ALPHA (classes), by-column:NAME (natural ids; without --clients one client a value), quantity-skew:ALPHA or quantity-skew:power:E (sizes), feature-skew:ALPHA[:NAME] or continuous:ALPHA (numeric targets). Default: iid.',
  },
  dropout: {
    takes: 'P',
    help: 'Chance that a selected client drops out of a round, drawn from the seed; below 1. Default: 0.',
    read: real(0, 1, { below: true }),
  },
  'held-out': {
    takes: 'SHARE',
    help: 'Share of the examples that the clients never train on, in place of the share of the task; up to 0.5. Default: 0.',
    read: real(0, 0.5),
  },
  backend: {
    takes: 'NAME',
    help: 'planned, wasm or cpu; fixed, so that results repeat. Default: planned.',
    read: oneOf('planned', 'wasm', 'cpu'),
  },
  url: { takes: 'URL', help: 'Use a running coordinator instead of one of its own.' },
  'admin-key': { takes: 'KEY', help: 'The admin key of that coordinator (or COPPICE_ADMIN_KEY).' },
  from: {
    takes: 'CHECKPOINT',
    help: 'Begin from a checkpoint of that coordinator: <run>/<round>, or a channel such as production (with --url); seed: from the seed, where weights were given with the task.',
    read: (text) => {
      if (!StartOfRunSchema.safeParse(text).success)
        throw new UsageError('takes <run>/<round>, such as iris-1/5, a channel, such as production, or seed');
      return text;
    },
  },
  invited: {
    takes: null,
    help: 'Launch the run by invitation, and give each client the invitation.',
  },
  run: {
    takes: 'ID',
    help: 'Join this run of that coordinator, with its plan (with --url). An open run needs no admin key.',
    read: (text) => {
      if (!RunIdSchema.safeParse(text).success) throw new UsageError('takes the id of a run, such as iris-1');
      return text;
    },
  },
  invitation: { takes: 'SECRET', help: 'The invitation to that run, where it is by invitation.' },
  trace: {
    takes: 'FILE',
    help: 'Slow and absent clients, by client and round: a CSV or JSON file with client, from, to, slowdown, available (docs/simulation.md).',
  },
  plan: { takes: 'KEY=VALUE', help: 'Any field of the plan by its name (docs/plan.md); may be repeated.' },
  'data-dir': {
    takes: 'DIR',
    help: 'Keep the simulation there. Started again with the same flags, it goes on after its last round.',
  },
  json: { takes: null, help: 'JSON lines on stdout, nothing else.' },
  report: {
    takes: 'DIR',
    help: 'Write the rounds there as they end, and report.html, report.json and the model at every end.',
  },
  processes: { takes: 'P', help: 'Worker threads that train. Default: all cores.', read: whole(1, 256) },
  help: { takes: null, help: 'This text.' },
} as const satisfies Record<string, Flag>;

/** @throws UsageError naming the flag and its valid values. */
export function readOptions(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  description: PlanDescription = planDescription,
): SimulateOptions | 'help' {
  const flags = Object.assign({}, ...groups(description).map((group) => group.flags)) as Record<string, Flag>;
  const args = withNegativeNumbers(argv[0] === '--' ? argv.slice(1) : argv, flags);
  const types = Object.fromEntries(
    Object.entries(flags).map(([name, { takes }]) => [
      name,
      { type: takes === null ? 'boolean' : 'string', multiple: name === 'plan' } as const,
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
  const value = <T>(name: string, fallback: T): T => {
    const text = given[name];
    const flag = flags[name];
    if (text === undefined || flag === undefined) return fallback;
    if (flag.read === undefined || typeof text !== 'string') return text as T;
    try {
      return flag.read(text) as T;
    } catch (cause) {
      throw new UsageError(`--${name} ${flag.takes} ${(cause as Error).message}, not "${text}".`, { cause });
    }
  };
  const clients = value('clients', 20);
  const set = readPlan(value, (given['plan'] ?? []) as string[], description);
  if (set.cohortFraction !== undefined && typeof set.cohortSize === 'number') {
    throw new UsageError('--fraction C and --cohort K say the same thing in two ways; give one of them.');
  }
  const partition = value('partition', 'iid');
  try {
    parsePartition(partition);
  } catch (cause) {
    throw new UsageError(`--partition HOW takes ${PARTITION_FORMS}. ${(cause as Error).message}`, { cause });
  }
  const url = value<string | null>('url', null);
  if (url !== null && !URL.canParse(url))
    throw new UsageError(
      `--url URL takes the address of a coordinator such as http://127.0.0.1:8080, not "${url}".`,
    );
  const adminKey = value<string | null>('admin-key', env.COPPICE_ADMIN_KEY ?? null);
  const run = value<string | null>('run', null);
  if (run !== null && url === null)
    throw new UsageError('--run ID needs --url URL too: the coordinator of that run.');
  if (url !== null && adminKey === null && run === null)
    throw new UsageError('--url URL needs --admin-key KEY too: the key that coordinator printed.');
  const invitation = value<string | null>('invitation', null);
  if (invitation !== null && run === null)
    throw new UsageError('--invitation SECRET needs --run ID too: the run that it invites to.');
  const dataDir = value<string | null>('data-dir', null);
  if (dataDir !== null && url !== null)
    throw new UsageError(
      '--data-dir DIR keeps a coordinator of its own and cannot be given with --url URL, whose coordinator keeps its runs.',
    );
  const data = value<string | null>('data', null);
  const needData = ['test', 'model', 'task-file', 'target'].find((name) => given[name] !== undefined);
  if (data === null && needData !== undefined)
    throw new UsageError(`--${needData} needs --data PATH too: the data to train on.`);
  if (given['target'] !== undefined && given['task-file'] !== undefined)
    throw new UsageError('--target NAME and --task-file FILE both say what is predicted; give one of them.');
  const from = value<StartOfRun | null>('from', null);
  if (from !== null && url === null)
    throw new UsageError(
      '--from CHECKPOINT needs --url URL too: a coordinator of its own has no checkpoints to begin from.',
    );
  if (run !== null) refuseWithRun(given, description);
  const { cohortSize, minParticipants } = set;
  if (typeof cohortSize === 'number' && cohortSize > clients)
    throw new UsageError(`--cohort K takes at most the number of clients, ${clients}, not "${cohortSize}".`);
  if (typeof minParticipants === 'number' && minParticipants > clients)
    throw new UsageError(
      `--min-participants N takes at most the number of clients, ${clients}, not "${minParticipants}".`,
    );
  return {
    task: value('task', 'mnist-2nn'),
    taskGiven: given['task'] !== undefined,
    data,
    test: value<string | null>('test', null),
    model: value<string | null>('model', null),
    taskFile: value<string | null>('task-file', null),
    target: value<string | null>('target', null),
    clients,
    clientsGiven: given['clients'] !== undefined,
    partition,
    dropout: value('dropout', 0),
    heldOut: value('held-out', 0),
    backend: value('backend', 'planned'),
    url: url?.replace(/\/$/, '') ?? null,
    from,
    adminKey,
    invited: value('invited', false),
    run,
    invitation,
    trace: value<string | null>('trace', null),
    behaviour: typeof given['trace'] === 'string' ? readTrace(given['trace']) : [],
    dataDir,
    json: value('json', false),
    report: value<string | null>('report', null),
    processes: Math.min(value('processes', availableParallelism()), clients),
    plan: planFor(clients, set, description),
    given: set,
  };
}

/** The options with as many clients as a column has values. */
export function withClients(options: SimulateOptions, clients: number): SimulateOptions {
  const processes = Math.min(options.processes, clients);
  const plan = { ...options.plan, ...planFor(clients, options.given, planDescription) };
  return { ...options, clients, processes, plan };
}

/** The options with defaults for a task that is made for the person's own data, which its flags precede. */
export function withDefaults(options: SimulateOptions, defaults: PlanValues): SimulateOptions {
  return { ...options, plan: { ...defaults, ...options.plan } as SimulateOptions['plan'] };
}

function planFor(
  clients: number,
  given: Readonly<Record<string, PlanValue>>,
  description: PlanDescription,
): SimulateOptions['plan'] {
  return description.simulated({
    clients,
    // A share takes the place of a number that the task has by default.
    given: given['cohortFraction'] === undefined ? given : { cohortSize: null, ...given },
  }) as SimulateOptions['plan'];
}

/** The options by flag name, for a report. */
export function reported({
  plan,
  given,
  clientsGiven: _,
  taskGiven: __,
  behaviour: ___,
  ...own
}: SimulateOptions) {
  return { ...own, ...reportedFlags(given, plan) };
}

/** Writes `--flag -1` as `--flag=-1`, since a negative number is no flag. */
function withNegativeNumbers(argv: readonly string[], flags: Readonly<Record<string, Flag>>): string[] {
  const args: string[] = [];
  for (const word of argv) {
    const flag = args.at(-1) ?? '';
    const takesValue = flag.startsWith('--') && (flags[flag.slice(2)]?.takes ?? null) !== null;
    if (takesValue && /^-[.\d]/.test(word)) args[args.length - 1] = `${flag}=${word}`;
    else args.push(word);
  }
  return args;
}

/** @throws UsageError for a flag that an existing run decides. */
function refuseWithRun(given: Readonly<Record<string, unknown>>, description: PlanDescription): void {
  const ofPlan = Object.keys(description.fields).map((name) => description.flagOf(name).name);
  const decided = [...ofPlan.filter((name) => name !== 'seed'), 'plan', 'task', 'from', 'invited'];
  const found = decided.find((name) => given[name] !== undefined);
  if (found !== undefined)
    throw new UsageError(`--${found} cannot be given with --run ID: the run has its task and its plan.`);
}

/** The values of the plan's flags, by field. @throws UsageError for a flag that does not apply to the strategy. */
function readPlan(
  value: (name: string, fallback: undefined) => PlanValue | undefined,
  more: readonly string[],
  description: PlanDescription,
): Readonly<Record<string, PlanValue>> {
  const set: Record<string, PlanValue> = {};
  for (const [name, field] of Object.entries(description.fields)) {
    const flag = description.flagOf(name);
    const found = value(flag.name, undefined);
    if (found === undefined) continue;
    try {
      set[name] = checked(found, field);
    } catch (cause) {
      throw new UsageError(`--${flag.name} ${flag.takes} ${(cause as Error).message}, not "${found}".`, {
        cause,
      });
    }
  }
  for (const text of more) {
    const [name, found] = readPlanValue(text, description);
    if (set[name] !== undefined && set[name] !== found)
      throw new UsageError(`--plan ${name}=VALUE is given twice, as "${set[name]}" and as "${found}".`);
    set[name] = found;
  }
  const { strategy } = description.simulated({ clients: 1, given: set }) as PlanValues;
  for (const name of Object.keys(set)) {
    const owners = description.strategiesOf(name);
    if (owners === null || owners.includes(String(strategy))) continue;
    const flag = description.flagOf(name);
    throw new UsageError(
      `--${flag.name} ${flag.takes} belongs to --strategy ${owners.join(' or ')} and does not apply to ${strategy}.`,
    );
  }
  return set;
}

function groups(description: PlanDescription): readonly FlagGroup[] {
  return [{ title: 'Simulation', flags: ownFlags }, ...planFlags(description)];
}

/** The text of `--help`: every flag, grouped by section. */
export function usage(description: PlanDescription = planDescription): string {
  const listed = groups(description).map(({ title, flags }) => ({
    title,
    flags: Object.entries(flags).map(
      ([name, { takes, help }]) => [`--${name}${takes === null ? '' : ` ${takes}`}`, help] as const,
    ),
  }));
  const width = Math.max(...listed.flatMap(({ flags }) => flags.map(([flag]) => flag.length))) + 2;
  const text = listed
    .map(({ title, flags }) =>
      [title, ...flags.map(([flag, help]) => `  ${flag.padEnd(width)}${help}`)].join('\n'),
    )
    .join('\n\n');
  return `Usage: pnpm simulate [flags]\n\nTrains one model with N headless clients over the real protocol.\n\n${text}\n\nExit codes: 0 done, 1 failed, 2 bad usage, 3 target accuracy not reached, 130 interrupted by Ctrl-C (SIGINT),\n143 by SIGTERM, 129 by the end of the terminal, 141 the reader of standard output closed it (as by SIGPIPE).\n`;
}
