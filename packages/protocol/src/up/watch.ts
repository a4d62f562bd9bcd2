import * as z from 'zod/mini';
import { MAX_WATCHED_RUNS } from '../limits.ts';
import { replySchema } from '../reply.ts';
import { RunIdSchema, RunSummarySchema } from '../run.ts';

/**
 * Ask to be told of runs without joining them. Each `watch` takes the place of the one before; a new connection watches
 * nothing. Runs that were joined are told of in any case.
 */
export const WatchSchema = z.strictObject({
  /** Every change of these is told. An id that no run has is no error. */
  runs: z.array(RunIdSchema).check(z.maxLength(MAX_WATCHED_RUNS)),
  /** Whether to be told of each run that is created, starts, pauses, resumes, ends or changes its admission. */
  arrivals: z.boolean(),
});
export type Watch = z.infer<typeof WatchSchema>;

/** The watched runs as they are now, over or not, in no order; ids that no run has are left out. */
export const WatchReplySchema = replySchema(z.object({ runs: z.array(RunSummarySchema) }));
