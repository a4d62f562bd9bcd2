import type { MetricValues } from '@coppice/protocol';

/**
 * The output of a simulation with `--json`: one object a line, keys in this order. A `round` for every committed round,
 * then one `done`. Scripts read these; a key is never renamed.
 */
export interface RoundEvent {
  readonly event: 'round';
  /** From 1. */
  readonly round: number;
  /** On the task's test data, 0 to 1; null where the task has no accuracy or it was not measured. */
  readonly accuracy: number | null;
  /** Mean loss on the task's test data; null where it was not measured. */
  readonly loss: number | null;
  /** The task's own measures on its test data, by name; left out where it asks for none. */
  readonly values?: MetricValues;
  /** Root mean square error on the task's test data, in the unit of the target; only of tasks with a numeric target. */
  readonly error?: number;
  /** Clients whose update was accepted in this round. */
  readonly participants: number;
  /** Bytes from the clients to the coordinator in this round. */
  readonly bytesUp: number;
  /** Bytes from the coordinator to the clients in this round. */
  readonly bytesDown: number;
  /** From selection to the committed checkpoint. */
  readonly seconds: number;
  /** Updates whose weight was capped: their clients have far more examples than most. */
  readonly capped: number;
  /** Updates that were scaled down to the round's norm bound. */
  readonly scaled: number;
}

export interface DoneEvent {
  readonly event: 'done';
  readonly rounds: number;
  /** After the last round. */
  readonly accuracy: number | null;
  /** Root mean square error after the last round, in the unit of the target; only of tasks with a numeric target. */
  readonly error?: number;
  /** The first round that reached the target accuracy or the target value; null without a target, or where none did. */
  readonly roundsToTarget: number | null;
  /** Hash of the last checkpoint. */
  readonly checkpoint: string;
  /** Over all rounds. */
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly seconds: number;
  readonly capped: number;
  readonly scaled: number;
}
