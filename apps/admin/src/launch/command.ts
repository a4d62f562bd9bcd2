import {
  type Admission,
  type CreateRun,
  type Plan,
  type PlanValues,
  planDescription,
  type StartOfRun,
} from '@coppice/protocol';
import { differences, taskDefaults } from './plan-form.ts';

/** The body of `POST /api/runs`: only the fields that differ from the task's own defaults, and an admission other than open. */
export function requestBody(
  task: string,
  plan: Plan,
  { defaults, admission, from }: { defaults: PlanValues; admission: Admission; from: StartOfRun | null },
): CreateRun {
  const changed = differences(plan, taskDefaults(defaults, plan.strategy));
  return {
    task,
    plan: changed,
    ...(admission === 'open' ? {} : { admission }),
    ...(from === null ? {} : { from }),
  };
}

/** The same request for a terminal. The key is read from the environment, so that it is not in the shell's history. */
export function curlCommand(origin: string, body: CreateRun): string {
  const json = JSON.stringify(body).replaceAll("'", "'\\''");
  return `curl -X POST ${origin}/api/runs \\\n  -H "Authorization: Bearer $COPPICE_ADMIN_KEY" \\\n  -H 'Content-Type: application/json' \\\n  -d '${json}'`;
}

interface SimulateChoices {
  readonly defaults: PlanValues;
  /** The number of headless clients. */
  readonly clients: number;
  readonly invited?: boolean;
  /** The URL of the coordinator, for a task of the admin's own, which only that coordinator has; left out for a built-in one. */
  readonly ownAt?: string | null;
  /** What to begin from, and the URL of its coordinator. */
  readonly start?: { readonly origin: string; readonly from: StartOfRun } | null;
}

/**
 * The `pnpm simulate` command for the same training with headless clients. Clients cannot be listed in advance: for a
 * run that is not open they are invited. Values that only make simulations repeatable are given where the plan changed
 * them. A task of the admin's own is trained on its coordinator, on a file `data.csv`.
 */
export function simulateCommand(
  task: string,
  plan: Plan,
  { defaults, clients, invited = false, ownAt = null, start = null }: SimulateChoices,
): string {
  const usual = taskDefaults(defaults, plan.strategy);
  const { targetAccuracy, targetValue } = plan;
  const given: PlanValues = {
    ...(targetAccuracy === usual.targetAccuracy ? {} : { targetAccuracy }),
    ...(targetValue === usual.targetValue ? {} : { targetValue }),
  };
  const own = planDescription.simulated({ clients, given });
  const used = { ...usual, ...own, targetAccuracy: usual.targetAccuracy, targetValue: usual.targetValue };
  const parts = [`pnpm simulate --task ${task} --clients ${clients}${invited ? ' --invited' : ''}`];
  const url = start?.origin ?? ownAt;
  if (url !== null) parts.push(`--url ${url}`);
  if (start !== null) parts.push(`--from ${start.from}`);
  // The page does not know the file: the name is to be replaced.
  if (ownAt !== null) parts.push('--data data.csv');
  for (const [name, value] of Object.entries(differences(plan, used))) {
    // A fixed cohort replaces the share.
    if (name === 'cohortFraction' && plan.cohortSize !== null) continue;
    // More than there are would never begin.
    if (name === 'minParticipants' && plan.minParticipants > clients) continue;
    if (planDescription.fields[name]?.simulation?.repeats === true && value === usual[name]) continue;
    parts.push(`--${planDescription.flagOf(name).name} ${value ?? 'none'}`);
  }
  return parts.join(' ');
}
