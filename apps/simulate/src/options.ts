import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { parsePartition } from '@coppice/datasets';
import {
  type PlanDescription,
  type PlanInputValues,
  type PlanValue,
  type PlanValues,
  planDescription,
  type StartOfRun,
  StartOfRunSchema,
} from '@coppice/protocol';
import { type Flag, type FlagGroup, oneOf, real, UsageError, whole } from './flag.ts';
import { planFlags, reportedFlags } from './plan-flags.ts';

export { UsageError };

/** The plan fields that every simulation sets itself. */
type SetBySimulation = 'rounds' | 'seed';

export interface SimulateOptions {
  readonly task: string;
  readonly clients: number;
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
  clients: { takes: 'N', help: 'Headless participants. Default: 20.', read: whole(1, 100_000) },
  partition: {
    takes: 'HOW',
    help: 'iid, shards:S (S label-sorted shards each) or dirichlet:ALPHA. Default: iid.',
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
  json: { takes: null, help: 'JSON lines on stdout, nothing else.' },
  report: { takes: 'DIR', help: 'Write report.html, report.json and rounds.csv there.' },
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
  const set = readPlan(value, description);
  if (set.cohortFraction !== undefined && typeof set.cohortSize === 'number') {
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
  const from = value<StartOfRun | null>('from', null);
  if (from !== null && url === null)
    throw new UsageError(
      '--from CHECKPOINT needs --url URL too: a coordinator of its own has no checkpoints to begin from.',
    );
  const { cohortSize, minParticipants } = set;
  if (typeof cohortSize === 'number' && cohortSize > clients)
    throw new UsageError(`--cohort K takes at most the number of clients, ${clients}, not "${cohortSize}".`);
  if (typeof minParticipants === 'number' && minParticipants > clients)
    throw new UsageError(
      `--min-participants N takes at most the number of clients, ${clients}, not "${minParticipants}".`,
    );
  return {
    task: value('task', 'mnist-2nn'),
    clients,
    partition,
    dropout: value('dropout', 0),
    heldOut: value('held-out', 0),
    backend: value('backend', 'planned'),
    url: url?.replace(/\/$/, '') ?? null,
    from,
    adminKey,
    invited: value('invited', false),
    json: value('json', false),
    report: value<string | null>('report', null),
    processes: Math.min(value('processes', availableParallelism()), clients),
    // A share takes the place of a number that the task has by default.
    plan: description.simulated({
      clients,
      given: set.cohortFraction === undefined ? set : { cohortSize: null, ...set },
    }) as SimulateOptions['plan'],
    given: set,
  };
}

/** The options by flag name, for a report. */
export function reported({ plan, given, ...own }: SimulateOptions) {
  return { ...own, ...reportedFlags(given, plan) };
}

/** The values of the plan's flags, by field. @throws UsageError for a flag that does not apply to the strategy. */
function readPlan(
  value: (name: string, fallback: undefined) => PlanValue | undefined,
  description: PlanDescription,
): Readonly<Record<string, PlanValue>> {
  const set: Record<string, PlanValue> = {};
  for (const name of Object.keys(description.fields)) {
    const found = value(description.flagOf(name).name, undefined);
    if (found !== undefined) set[name] = found;
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
  return `Usage: pnpm simulate [flags]\n\nTrains one model with N headless clients over the real protocol.\n\n${text}\n\nExit codes: 0 done, 1 failed or interrupted, 2 bad usage, 3 target accuracy not reached,\n141 the reader of standard output closed it (as by SIGPIPE).\n`;
}
