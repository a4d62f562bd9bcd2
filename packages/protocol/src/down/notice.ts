import * as z from 'zod/mini';
import { RunIdSchema, WireErrorSchema } from '../run.ts';

/** Something the participant must know that answers none of its messages, e.g. `session-replaced`. */
export const NoticeSchema = z.extend(WireErrorSchema, {
  /** The run that the participant is no longer part of, where that is what it must know. */
  run: z.optional(RunIdSchema),
});
