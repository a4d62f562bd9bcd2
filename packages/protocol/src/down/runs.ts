import * as z from 'zod/mini';
import { RunSummarySchema } from '../run.ts';

/** A run came, changed or ended: its new summary. To every connected participant. */
export const RunChangedSchema = z.object({ run: RunSummarySchema, now: z.number() });
