import {
  type ConsentLabel,
  consentLabel,
  defaultPlan,
  type ModelNumbers,
  type Plan,
  travelOf,
} from '@coppice/protocol';

/** The content of the privacy label, from the current task and plan. */
export interface LabelFacts {
  /** Numbers of one update: the change of every weight that moves, and of every value of the strategy's own vectors. */
  readonly numbers: number;
  /** Bytes of one update: its numbers, as encoded by the plan's codec, and a header. */
  readonly bytesPerRound: number;
  readonly rounds: number | null;
  /** The statements that follow from the plan: audience, limit, protection, inference. */
  readonly label: ConsentLabel;
  readonly deadlineSeconds: number | null;
}

export function labelFacts(model: ModelNumbers, plan: Partial<Plan>): LabelFacts {
  const { numbers, up } = travelOf({ ...defaultPlan, ...plan }, model);
  return {
    numbers,
    bytesPerRound: up,
    rounds: plan.rounds ?? null,
    label: consentLabel(plan),
    deadlineSeconds: plan.deadlineSeconds ?? null,
  };
}
