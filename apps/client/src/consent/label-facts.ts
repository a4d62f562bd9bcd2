import {
  type ConsentLabel,
  consentLabel,
  encodedBytes,
  FRAME_HEADER_BYTES,
  type Plan,
  planDescription,
} from '@coppice/protocol';

/** The content of the privacy label, from the task and the plan in force. */
export interface LabelFacts {
  /** Numbers of one update: the change of every weight, and further vectors as long where the strategy has them. */
  readonly numbers: number;
  /** Bytes of one update: its numbers, as the plan's codec writes them, and a header. */
  readonly bytesPerRound: number;
  readonly rounds: number | null;
  /** The statements that follow from the plan: audience, limit, protection, inference. */
  readonly label: ConsentLabel;
  readonly deadlineSeconds: number | null;
}

export function labelFacts(parameters: number, plan: Partial<Plan>): LabelFacts {
  const vectors = planDescription.vectorsOf(plan);
  return {
    numbers: vectors * parameters,
    bytesPerRound: FRAME_HEADER_BYTES + vectors * encodedBytes(plan.uploadCodec ?? 'float32', parameters),
    rounds: plan.rounds ?? null,
    label: consentLabel(plan),
    deadlineSeconds: plan.deadlineSeconds ?? null,
  };
}
