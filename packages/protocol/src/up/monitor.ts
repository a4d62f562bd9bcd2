import * as z from 'zod/mini';
import { HashSchema } from '../hash.ts';
import { replySchema } from '../reply.ts';
import { TaskIdSchema } from '../task.ts';
import { TicketSchema } from '../ticket.ts';

/**
 * Offers answers to a task's questions: reports on predictions that are made with its releases, statistics of own examples, and
 * comparisons of two models on them. It holds until the connection ends, also where the task is not watched yet; a later one
 * for the same task replaces it. `ask` with the task follows in each exchange, at once for those that are open.
 */
export const MonitorSchema = z.strictObject({
  task: TaskIdSchema,
  /** The version of the consent that the person gave: a hash over what reports tell, and how often. */
  consent: HashSchema,
  /** The hash of the data recipe that makes the model's input here. */
  recipe: HashSchema,
  /** The secret of an invitation to report, where the task is by invitation. */
  invitation: z.optional(z.string().check(z.minLength(1), z.maxLength(100))),
});

/**
 * `watched`: whether the task is watched now. If not, nothing is asked until it is. `ticket`: while the offer holds, it opens the
 * model in production, and that of the participant's arm of a canary, also where their run is not open.
 */
export const MonitorReplySchema = replySchema(
  z.object({ watched: z.boolean(), ticket: z.optional(TicketSchema) }),
);
