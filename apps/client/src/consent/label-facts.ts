import { type ModelNumbers, type Plan, type RunTerms, runTerms } from '@coppice/protocol';

/** The content of the privacy label, from the current task and plan. */
export interface LabelFacts extends RunTerms {
  readonly rounds: number | null;
  readonly deadlineSeconds: number | null;
}

export function labelFacts(model: ModelNumbers, plan: Partial<Plan>): LabelFacts {
  return {
    ...runTerms(model, plan),
    rounds: plan.rounds ?? null,
    deadlineSeconds: plan.deadlineSeconds ?? null,
  };
}
