import * as z from 'zod/mini';
import { MAX_TEXT } from '../limits.ts';
import { ParticipantIdSchema, RunSummarySchema } from '../run.ts';

/** First message on a connection. */
export const WelcomeSchema = z.object({
  /** The version that both sides will speak. */
  protocol: z.int(),
  /** What the coordinator can do beyond the least. */
  features: z.optional(z.array(z.string())),
  participant: ParticipantIdSchema,
  /** Who runs this coordinator, as they call themselves. */
  operator: z.string().check(z.maxLength(MAX_TEXT)),
  /** The coordinator's clock, milliseconds since the epoch, to show deadlines by. */
  now: z.number(),
  /** Runs that are not over, newest first: at most `MAX_LISTED_RUNS`; running ones come before others where there are more. */
  runs: z.array(RunSummarySchema),
});
export type Welcome = z.infer<typeof WelcomeSchema>;
