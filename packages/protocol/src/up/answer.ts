import * as z from 'zod/mini';
import { MAX_EXAMPLES, MAX_TRAINING_MILLISECONDS } from '../limits.ts';
import { FrameBytesSchema, replySchema } from '../reply.ts';
import { RunIdSchema } from '../run.ts';
import { TaskIdSchema } from '../task.ts';
import { TicketSchema } from '../ticket.ts';

/** A participant's contribution to an exchange, of a run or of a task: it names one of the two. */
export const AnswerSchema = z
  .strictObject({
    run: z.optional(RunIdSchema),
    task: z.optional(TaskIdSchema),
    ticket: TicketSchema,
    /** The factor of the weighted tensors in the sum: for training, the number of examples trained on. */
    weight: z.int().check(z.minimum(1), z.maximum(MAX_EXAMPLES)),
    /** Milliseconds of computation. */
    milliseconds: z.number().check(z.minimum(0), z.maximum(MAX_TRAINING_MILLISECONDS)),
    /** A contribution frame, whole, or its header alone where it would be larger than a piece. */
    frame: FrameBytesSchema,
  })
  .check(
    z.refine(({ run, task }) => (run === undefined) !== (task === undefined), 'it names a run or a task'),
  );
export type Answer = z.infer<typeof AnswerSchema>;

/**
 * `duplicate`: an earlier answer of this participant counted, and this one is ignored. `next`: the piece of its payload
 * that is wanted next; null once it is counted.
 */
export const AnswerReplySchema = replySchema(
  z.object({ duplicate: z.boolean(), next: z.nullable(z.int().check(z.minimum(0))) }),
);
