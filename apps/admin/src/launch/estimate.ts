import { encodedBytes, FRAME_HEADER_BYTES, type Plan } from '@coppice/protocol';

/** What a run will move, counted before it begins. Bytes; models travel as float32, updates as the plan says. */
export interface Estimate {
  /** Participants asked and updates taken in a round. */
  readonly asked: number;
  readonly taken: number;
  /** From the coordinator to the cohort in one round, and back. */
  readonly down: number;
  readonly up: number;
  readonly perRound: number;
  readonly inAll: number;
  /** One participant's share of a round, down and up. */
  readonly perParticipant: number;
}

/**
 * Sizes as the coordinator draws them: max(1, round(C · present)) updates are wanted, over-selection
 * asks more, and nobody is asked twice.
 *
 * @param connected how many participants are expected, for plans that ask for a share of them.
 */
export function estimate(
  plan: Pick<
    Plan,
    'cohortSize' | 'cohortFraction' | 'overSelection' | 'rounds' | 'minParticipants' | 'uploadCodec'
  >,
  parameters: number,
  connected: number,
): Estimate {
  const present = Math.max(connected, plan.minParticipants);
  const wanted = plan.cohortSize ?? Math.max(1, Math.round(plan.cohortFraction * present));
  const taken = Math.min(wanted, present);
  // 1.1 × 10 is a little over 11 in floating point, and still asks 11.
  const asked = Math.min(present, Math.ceil(taken * plan.overSelection - 1e-9));
  const model = encodedBytes('float32', parameters) + FRAME_HEADER_BYTES;
  const update = encodedBytes(plan.uploadCodec, parameters) + FRAME_HEADER_BYTES;
  const down = asked * model;
  const up = taken * update;
  return {
    asked,
    taken,
    down,
    up,
    perRound: down + up,
    inAll: (down + up) * plan.rounds,
    perParticipant: model + update,
  };
}
