import type { Checkpoint } from '@coppice/protocol';
import type { Storage } from '../storage/storage.ts';
import { channelModel } from './channel-model.ts';

/**
 * Finds the model of `/models/<task>/latest`: the one in production. Where the task has no production release, the
 * highest round of the newest run that has a committed one: a round is committed only after its evaluation, so there
 * is no state in between, and initial weights never qualify.
 *
 * @param without ids of runs to ignore. A production model of theirs is not replaced by another.
 * @returns null where production is ignored, or nothing is in production and no run of the task has committed a round.
 */
export async function latestModel(
  storage: Pick<Storage, 'latestOfTask' | 'lastRelease' | 'checkpoint'>,
  task: string,
  without: readonly string[],
): Promise<Checkpoint | null> {
  const production = await channelModel(storage, task, 'production');
  if (production !== null) return without.includes(production.run) ? null : production;
  return storage.latestOfTask(task, without);
}
