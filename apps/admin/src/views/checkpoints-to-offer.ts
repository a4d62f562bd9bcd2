import { type CheckpointId, checkpointId, type Run } from '@coppice/protocol';

/** The newest trained model of each run of a task, newest run first, and the chosen one even where newer ones exist. */
export function checkpointsToOffer(
  all: readonly Run[],
  task: string,
  chosen: CheckpointId | null,
): { readonly id: CheckpointId; readonly accuracy: number | null }[] {
  const newest = all
    .filter((run) => run.task === task && run.round >= 1)
    .map((run) => ({ id: checkpointId(run.id, run.round), accuracy: run.central?.accuracy ?? null }));
  const missing = chosen !== null && !newest.some(({ id }) => id === chosen);
  return missing ? [{ id: chosen, accuracy: null }, ...newest] : newest;
}
