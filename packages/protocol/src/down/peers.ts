import * as z from 'zod/mini';
import { RunIdSchema } from '../run.ts';

/** Counts of a run's participants; sent to all that joined it when they change. */
export const PeersSchema = z.object({
  run: RunIdSchema,
  /** Joined and connected. */
  joined: z.int(),
  /** In the open round's cohort and not yet done. */
  working: z.int(),
  /** Delivered an update in the open round. */
  done: z.int(),
});
export type Peers = z.infer<typeof PeersSchema>;
