import * as z from 'zod/mini';
import { MAX_TEXT } from '../limits.ts';
import { ParticipantIdSchema, RunSummarySchema } from '../run.ts';
import { ReleaseNewsSchema } from './release.ts';

/** First message on a connection. */
export const WelcomeSchema = z.object({
  /** The version that both sides speak from here on. */
  protocol: z.int(),
  /** Optional capabilities of the coordinator. */
  features: z.optional(z.array(z.string())),
  participant: ParticipantIdSchema,
  /** The operator's name for itself. */
  operator: z.string().check(z.maxLength(MAX_TEXT)),
  /** The coordinator's clock, milliseconds since the epoch, as the reference for deadlines. */
  now: z.number(),
  /** Runs that are not over, newest first: at most `MAX_LISTED_RUNS`, running ones in preference. */
  runs: z.array(RunSummarySchema),
  /** Releases of tasks with a canary that this participant has an arm of, `canary` or `control`; left out: there are none. */
  releases: z.optional(z.array(ReleaseNewsSchema)),
});
export type Welcome = z.infer<typeof WelcomeSchema>;
