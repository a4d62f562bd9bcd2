import * as z from 'zod/mini';
import { MAX_WATCHED_RUNS } from '../limits.ts';
import { replySchema } from '../reply.ts';
import { RunIdSchema, RunSummarySchema } from '../run.ts';

/**
 * Request updates on runs without joining them. Each `watch` replaces the one before; a new connection watches nothing.
 * Joined runs are reported in any case.
 */
export const WatchSchema = z.strictObject({
  /** Ids of the runs to report every change of. Unknown ids are no error. */
  runs: z.array(RunIdSchema).check(z.maxLength(MAX_WATCHED_RUNS)),
  /** True to be told of each run that is created, starts, pauses, resumes, ends or changes its admission. */
  arrivals: z.boolean(),
});
export type Watch = z.infer<typeof WatchSchema>;

/** The watched runs in their current state, over or not, in no order; unknown ids are left out. */
export const WatchReplySchema = replySchema(z.object({ runs: z.array(RunSummarySchema) }));
