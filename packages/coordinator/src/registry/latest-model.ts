import type { Checkpoint } from '@coppice/protocol';
import type { Storage } from '../storage/storage.ts';

/**
 * Finds the model of `/models/<task>/latest`: the highest round of the newest run that has a committed one. A round is
 * committed only after its evaluation, so there is no state in between. Initial weights never qualify. Once there are
 * releases, one named for production takes precedence over this rule, here.
 *
 * @param without ids of runs to ignore.
 * @returns null where no run of the task has committed a round.
 */
export function latestModel(
  storage: Pick<Storage, 'latestOfTask'>,
  task: string,
  without: readonly string[],
): Promise<Checkpoint | null> {
  return storage.latestOfTask(task, without);
}
