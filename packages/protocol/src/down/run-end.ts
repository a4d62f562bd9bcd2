import * as z from 'zod/mini';
import { RunIdSchema, runStatuses, WireErrorSchema } from '../run.ts';
import { readUnknownAs } from '../tolerant.ts';

/**
 * A run is over, its last evaluation included, and will ask nothing more; sent to all that joined it. Its model can
 * still be pulled.
 */
export const RunEndSchema = z.object({
  run: RunIdSchema,
  status: readUnknownAs(z.enum(runStatuses), 'stopped'),
  reason: z.nullable(WireErrorSchema),
});
export type RunEnd = z.infer<typeof RunEndSchema>;
