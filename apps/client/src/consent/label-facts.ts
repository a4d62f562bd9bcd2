import { encodedBytes, FRAME_HEADER_BYTES, type Plan } from '@coppice/protocol';

/** The numbers of the privacy label, from the task and the plan in force. */
export interface LabelFacts {
  readonly parameters: number;
  /** Bytes of one update: the change of every weight, as the plan's codec writes it, and a header. */
  readonly bytesPerRound: number;
  readonly rounds: number | null;
  /** The longest an update may be before it leaves; null without clipping. */
  readonly clipNorm: number | null;
  readonly deadlineSeconds: number | null;
}

export function labelFacts(parameters: number, plan: Partial<Plan>): LabelFacts {
  return {
    parameters,
    bytesPerRound: FRAME_HEADER_BYTES + encodedBytes(plan.uploadCodec ?? 'float32', parameters),
    rounds: plan.rounds ?? null,
    clipNorm: plan.clipNorm ?? null,
    deadlineSeconds: plan.deadlineSeconds ?? null,
  };
}
