import * as z from 'zod/mini';
import { RunSummarySchema } from '../run.ts';

/** The new summary of a run that was created, changed or ended; sent to participants that joined or watch it. */
export const RunChangedSchema = z.object({ run: RunSummarySchema, now: z.number() });
