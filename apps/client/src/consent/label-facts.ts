import { type Plan, type RunTerms, runTerms } from '@coppice/protocol';

/** The content of the privacy label, from the current task and plan. */
export interface LabelFacts extends RunTerms {
  readonly rounds: number | null;
  readonly deadlineSeconds: number | null;
}

export function labelFacts(task: Parameters<typeof runTerms>[0], plan: Partial<Plan>): LabelFacts {
  return {
    ...runTerms(task, plan),
    rounds: plan.rounds ?? null,
    deadlineSeconds: plan.deadlineSeconds ?? null,
  };
}
