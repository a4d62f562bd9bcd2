import { type ModelNumbers, type Plan, travelOf } from '@coppice/protocol';

/**
 * Estimated traffic of a run, in bytes. Where models travel by steps, `down` is a round in which all participants had
 * the last model; the total counts the first round, in which none has, in full, and the frozen weights once a device.
 */
export interface Estimate {
  /** Participants asked and updates counted in a round. */
  readonly asked: number;
  readonly taken: number;
  /** The moving part of one model down, and one update up, each with the strategy's own vectors. */
  readonly model: number;
  readonly update: number;
  /** Frozen weights: down once to each device. */
  readonly once: number;
  /** From the coordinator to the cohort in one round, and back. */
  readonly down: number;
  readonly up: number;
  readonly perRound: number;
  readonly inAll: number;
  /** One participant's share of a round, down and up. */
  readonly perParticipant: number;
}

/**
 * Estimates the traffic. Cohort sizes as the coordinator computes them: max(1, round(C · present)) updates are wanted,
 * over-selection asks more, and no participant is asked twice.
 *
 * @param connected expected number of participants, for plans that ask for a share of them.
 */
export function estimate(
  plan: Pick<
    Plan,
    | 'strategy'
    | 'cohortSize'
    | 'cohortFraction'
    | 'overSelection'
    | 'rounds'
    | 'minParticipants'
    | 'uploadCodec'
    | 'downloadCodec'
    | 'downloadForm'
  >,
  numbers: ModelNumbers,
  connected: number,
): Estimate {
  const present = Math.max(connected, plan.minParticipants);
  const wanted = plan.cohortSize ?? Math.max(1, Math.round(plan.cohortFraction * present));
  const taken = Math.min(wanted, present);
  // 1.1 × 10 is a little over 11 in floating point, and still asks 11.
  const asked = Math.min(present, Math.ceil(taken * plan.overSelection - 1e-9));
  const { once, first, down: model, up: update } = travelOf(plan, numbers);
  // Over the rounds, others are asked: no more than there are.
  const devices = Math.min(present, asked * plan.rounds);
  const down = asked * model;
  const up = taken * update;
  return {
    asked,
    taken,
    model,
    update,
    once,
    down,
    up,
    perRound: down + up,
    inAll: (down + up) * plan.rounds + asked * (first - model) + devices * once,
    perParticipant: model + update,
  };
}
