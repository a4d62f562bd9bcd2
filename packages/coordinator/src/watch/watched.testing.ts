import { defaultWatch, firstBinning, type Policy, type Reference } from '@coppice/continuity';
import type { Release, Task } from '@coppice/protocol';
import { newModel, newMove, newRun } from '../storage/new-run.testing.ts';
import type { Storage } from '../storage/storage.ts';

/** A policy that watches, and does nothing else. */
export const watching: Policy = {
  version: 1,
  periodMilliseconds: 24 * 3600 * 1000,
  watch: { ...defaultWatch, fewest: 2 },
  privacy: null,
  trigger: null,
  plan: {},
  gate: null,
  canary: null,
};

/** Saves the next version of a task's policy. */
export async function savePolicy(
  storage: Storage,
  task: string,
  policy: Policy | null,
  at: number,
): Promise<void> {
  const expected = (await storage.policy(task))?.version ?? null;
  await storage.putPolicy({ task, expected, at, by: { by: 'admin', name: 'a test' }, policy });
}

/** Releases the first round of a new run of a task to production, with its reference where one is given. */
export async function release(
  storage: Storage,
  task: Task,
  reference: Reference | null = null,
): Promise<Release> {
  const run = await storage.createRun(newRun(new Float32Array([1, 2]), { task, status: 'stopped' }));
  await storage.commit(newModel(run, 1, new Float32Array([run.sequence, 0.5])));
  const last = await storage.lastRelease(task.id, 'production');
  const move = newMove({ task: task.id, checkpoint: `${run.id}/1`, expected: last?.sequence ?? null });
  const released = await storage.moveChannel(move);
  const { sequence, checkpoint, hash } = released;
  if (reference !== null && checkpoint !== null && hash !== null)
    await storage.putReference(
      {
        task: task.id,
        release: sequence,
        checkpoint,
        hash,
        at: 0,
        binning: firstBinning(task),
        reference,
      },
      null,
    );
  return released;
}
