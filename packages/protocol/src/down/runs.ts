import * as z from 'zod/mini';
import { RunSummarySchema } from '../run.ts';

/** A run came, changed or ended: its new summary. To participants that joined it or watch it. */
export const RunChangedSchema = z.object({ run: RunSummarySchema, now: z.number() });
