import {
  type ConsentLabel,
  consentLabel,
  encodedBytes,
  FRAME_HEADER_BYTES,
  type Plan,
  planDescription,
} from '@coppice/protocol';

/** The content of the privacy label, from the current task and plan. */
export interface LabelFacts {
  /** Numbers of one update: the change of every weight, and of every value of the strategy's own vectors. */
  readonly numbers: number;
  /** Bytes of one update: its numbers, as encoded by the plan's codec, and a header. */
  readonly bytesPerRound: number;
  readonly rounds: number | null;
  /** The statements that follow from the plan: audience, limit, protection, inference. */
  readonly label: ConsentLabel;
  readonly deadlineSeconds: number | null;
}

export function labelFacts(parameters: number, plan: Partial<Plan>): LabelFacts {
  const numbers = parameters * (1 + planDescription.vectorsOf(plan.strategy ?? ''));
  return {
    numbers,
    bytesPerRound: FRAME_HEADER_BYTES + encodedBytes(plan.uploadCodec ?? 'float32', numbers),
    rounds: plan.rounds ?? null,
    label: consentLabel(plan),
    deadlineSeconds: plan.deadlineSeconds ?? null,
  };
}
