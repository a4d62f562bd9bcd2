import * as z from 'zod/mini';
import { RunIdSchema, WireErrorSchema } from '../run.ts';
import { TaskIdSchema } from '../task.ts';

/** An error that is not the answer to a message, e.g. `session-replaced`. */
export const NoticeSchema = z.extend(WireErrorSchema, {
  /** The run that the participant no longer takes part in, where the notice is about one. */
  run: z.optional(RunIdSchema),
  /** The task whose questions the participant is not asked any more, where the notice is about one. */
  task: z.optional(TaskIdSchema),
});
