import { type Checkpoint, checkpointId } from '@coppice/protocol';
import type { NewRun, RunRecord } from './storage.ts';

/** Round 0 of a new run. */
export function firstCheckpoint(
  { id, task, createdAt, from }: RunRecord,
  { weights, central }: NewRun['model'],
  hash: string,
): Checkpoint {
  return {
    id: checkpointId(id, 0),
    hash,
    run: id,
    task: task.id,
    round: 0,
    parent: from,
    createdAt,
    central,
    federated: null,
    parameters: weights.length,
  };
}
