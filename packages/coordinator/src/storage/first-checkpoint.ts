import type { Checkpoint } from '@coppice/protocol';
import type { NewRun, RunRecord } from './storage.ts';

/** Round 0 of a run that was just given its id. */
export function firstCheckpoint(
  { id, task, createdAt }: RunRecord,
  { weights, central }: NewRun['model'],
  hash: string,
): Checkpoint {
  return {
    hash,
    run: id,
    task: task.id,
    round: 0,
    parent: null,
    createdAt,
    central,
    federated: null,
    parameters: weights.length,
  };
}
