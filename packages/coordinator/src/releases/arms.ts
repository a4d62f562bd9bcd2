import { createHmac } from 'node:crypto';
import { type Arm, armOfDraw } from '@coppice/continuity';
import type { CheckpointId } from '@coppice/protocol';

/** A canary that goes on. */
export interface Canary {
  /** Known to the coordinator alone: nobody else can tell the arm of a participant. */
  readonly secret: string;
  /** The share of participants with the canary, in (0, 0.5]; as many are the control group. */
  readonly share: number;
  /** The number of the move of the channel `canary` that began it. */
  readonly sequence: number;
  readonly checkpoint: CheckpointId;
  /** The hash of its weights. */
  readonly hash: string;
}

/** The canaries that go on, at most one a task. */
export interface Canaries {
  of(task: string): Canary | null;
  all(): Iterable<readonly [task: string, canary: Canary]>;
}

/**
 * The arm of a participant: the same for the whole of a canary, by HMAC-SHA-256 of its id under the canary's secret, and drawn
 * afresh with each secret.
 */
export function armOf({ secret, share }: Pick<Canary, 'secret' | 'share'>, participant: string): Arm {
  return armOfDraw(createHmac('sha256', secret).update(participant).digest(), share);
}

/** The arm of a participant in the canary of a task; `none` where there is no canary. */
export function armIn(canaries: Canaries, task: string, participant: string): Arm {
  const canary = canaries.of(task);
  return canary === null ? 'none' : armOf(canary, participant);
}
