import type { Checkpoint } from '@coppice/protocol';
import type { Storage } from '../storage/storage.ts';

/**
 * The model that `/models/<task>/latest` names: of the newest run that has a committed round, the highest one. A
 * round is committed only after it was evaluated, so there is no state in between. First weights are never it.
 * A release that is named for production comes before this rule, as soon as there are releases: this is its place.
 *
 * @param without runs that are left out, by id.
 * @returns null where no run of the task has committed a round.
 */
export function latestModel(
  storage: Pick<Storage, 'latestOfTask'>,
  task: string,
  without: readonly string[],
): Promise<Checkpoint | null> {
  return storage.latestOfTask(task, without);
}
