import {
  type ConsentLabel,
  consentLabel,
  encodedBytes,
  FRAME_HEADER_BYTES,
  type Plan,
} from '@coppice/protocol';

/** The content of the privacy label, from the task and the plan in force. */
export interface LabelFacts {
  readonly parameters: number;
  /** Bytes of one update: the change of every weight, as the plan's codec writes it, and a header. */
  readonly bytesPerRound: number;
  readonly rounds: number | null;
  /** The statements that follow from the plan: audience, limit, protection, inference. */
  readonly label: ConsentLabel;
  readonly deadlineSeconds: number | null;
}

export function labelFacts(parameters: number, plan: Partial<Plan>): LabelFacts {
  return {
    parameters,
    bytesPerRound: FRAME_HEADER_BYTES + encodedBytes(plan.uploadCodec ?? 'float32', parameters),
    rounds: plan.rounds ?? null,
    label: consentLabel(plan),
    deadlineSeconds: plan.deadlineSeconds ?? null,
  };
}
