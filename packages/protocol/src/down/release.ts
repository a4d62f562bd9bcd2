import * as z from 'zod/mini';
import { HashSchema } from '../hash.ts';
import { CheckpointIdSchema } from '../lineage.ts';
import { TaskIdSchema } from '../task.ts';

const named = {
  /** The number of the move among those of the task's channels. */
  sequence: z.int().check(z.minimum(1)),
  checkpoint: CheckpointIdSchema,
  hash: HashSchema,
};

/**
 * The checkpoints that the channels of a task name. Sent to participants that monitor the task, when their offer is taken and
 * whenever production or the canary moves, and in `welcome` for tasks with a canary that this participant has an arm of.
 */
export const ReleaseNewsSchema = z.object({
  task: TaskIdSchema,
  /** Null: nothing is released. */
  production: z.nullable(z.object(named)),
  /**
   * A canary that goes on. `arm` is this participant's for the whole of it: `canary` predicts with this checkpoint, every
   * other arm with production's; `control` is the group that it is compared with. Null: there is none.
   */
  canary: z.nullable(z.object({ ...named, arm: z.string().check(z.maxLength(40)) })),
});
export type ReleaseNews = z.infer<typeof ReleaseNewsSchema>;
