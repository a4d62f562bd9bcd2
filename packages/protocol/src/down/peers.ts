import * as z from 'zod/mini';
import { RunIdSchema } from '../run.ts';

/** How many take part right now; to everyone who joined the run, when it changes. */
export const PeersSchema = z.object({
  run: RunIdSchema,
  /** Joined and connected. */
  joined: z.int(),
  /** In the open round's cohort and not done. */
  working: z.int(),
  /** Delivered an update in the open round. */
  done: z.int(),
});
export type Peers = z.infer<typeof PeersSchema>;
