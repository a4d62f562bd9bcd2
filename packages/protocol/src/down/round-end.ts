import * as z from 'zod/mini';
import { HashSchema } from '../hash.ts';
import { MetricsSchema, OutcomeSchema, RunIdSchema, WireErrorSchema } from '../run.ts';
import { readUnknownAs } from '../tolerant.ts';

/** A round closed; sent to all that joined the run. `you` is this participant's part in it. */
export const RoundEndSchema = z.object({
  run: RunIdSchema,
  round: z.int(),
  attempt: z.int(),
  outcome: readUnknownAs(z.enum(['committed', 'abandoned']), 'abandoned'),
  reason: z.nullable(WireErrorSchema),
  checkpoint: HashSchema,
  central: z.nullable(MetricsSchema),
  accepted: z.int(),
  asked: z.int(),
  you: z.nullable(OutcomeSchema),
});
export type RoundEnd = z.infer<typeof RoundEndSchema>;
