import type { Admission, CheckpointId, CreateRun, Plan, PlanFieldName } from '@coppice/protocol';
import { differences } from './plan-form.ts';

type Values = Readonly<Record<string, string | number | null>>;

/** The body of `POST /api/runs`: only what differs from the task's own defaults, and from a run for everyone. */
export function requestBody(
  task: string,
  plan: Plan,
  { defaults, admission, from }: { defaults: Values; admission: Admission; from: CheckpointId | null },
): CreateRun {
  return {
    task,
    plan: differences(plan, defaults),
    ...(admission === 'open' ? {} : { admission }),
    ...(from === null ? {} : { from }),
  };
}

/** The same request for a terminal; the key stays in the environment, not in the shell's history. */
export function curlCommand(origin: string, body: CreateRun): string {
  const json = JSON.stringify(body).replaceAll("'", "'\\''");
  return `curl -X POST ${origin}/api/runs \\\n  -H "Authorization: Bearer $COPPICE_ADMIN_KEY" \\\n  -H 'Content-Type: application/json' \\\n  -d '${json}'`;
}

const flags: Partial<Record<PlanFieldName, string>> = {
  cohortFraction: 'fraction',
  cohortSize: 'cohort',
  rounds: 'rounds',
  epochs: 'epochs',
  batchSize: 'batch-size',
  learningRate: 'learning-rate',
  proximal: 'proximal',
  strategy: 'strategy',
  targetAccuracy: 'target-accuracy',
  seed: 'seed',
  overSelection: 'over-select',
  uploadCodec: 'upload-codec',
  downloadCodec: 'download-codec',
  downloadForm: 'download-form',
};

/** What `pnpm simulate` itself assumes where a flag is left out; the rest it takes from the task. */
const assumed: Values = {
  rounds: 20,
  seed: 1,
  overSelection: 1,
  cohortFraction: 1,
  strategy: 'fedavg',
  uploadCodec: 'float32',
  downloadCodec: 'float32',
  downloadForm: 'whole',
};

interface SimulateChoices {
  readonly defaults: Values;
  readonly clients: number;
  readonly invited?: boolean;
  /** A checkpoint to begin from, and the address of the coordinator that has it. */
  readonly start?: { readonly origin: string; readonly from: CheckpointId } | null;
}

/**
 * `pnpm simulate` for the same training with headless participants; they have no list, so where a run is
 * not for everyone they are invited.
 *
 * @returns the command, and the fields of the plan that it has no flag for and that differ from what
 *   it would use.
 */
export function simulateCommand(
  task: string,
  plan: Plan,
  { defaults, clients, invited = false, start = null }: SimulateChoices,
): { readonly command: string; readonly left: readonly PlanFieldName[] } {
  const differing = differences(plan, { ...defaults, ...assumed });
  const parts = [`pnpm simulate --task ${task} --clients ${clients}${invited ? ' --invited' : ''}`];
  if (start !== null) parts.push(`--url ${start.origin}`, `--from ${start.from}`);
  const left: PlanFieldName[] = [];
  for (const [name, value] of Object.entries(differing) as [PlanFieldName, string | number | null][]) {
    // A fixed cohort makes the share of no meaning.
    if (value === null || (name === 'cohortFraction' && plan.cohortSize !== null)) continue;
    const flag = flags[name];
    if (flag === undefined) left.push(name);
    else parts.push(`--${flag} ${value}`);
  }
  return { command: parts.join(' '), left: left.filter((name) => name !== 'minParticipants') };
}
