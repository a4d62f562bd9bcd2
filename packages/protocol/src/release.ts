import * as z from 'zod/mini';
import { HashSchema } from './hash.ts';
import { JsonSchema } from './json.ts';
import { MAX_EVIDENCE, MAX_TEXT } from './limits.ts';
import { CauseSchema, CheckpointIdSchema } from './lineage.ts';
import { TaskIdSchema } from './task.ts';

/* Channels of a task: movable pointers to its checkpoints. A release is one move of one channel. */

/** The channels, from the first that a checkpoint comes to. `production` is what pages predict with. */
export const channels = ['candidate', 'canary', 'production'] as const;
export const ChannelSchema = z.enum(channels);
export type Channel = z.infer<typeof ChannelSchema>;

/** The reason of a move, in the words of its author. */
export const ReleaseReasonSchema = z.string().check(z.trim(), z.minLength(1), z.maxLength(MAX_TEXT));

/** The measurements that a move rests on: JSON of at most `MAX_EVIDENCE` UTF-16 code units. */
export const EvidenceSchema = JsonSchema.check(
  z.refine((evidence) => JSON.stringify(evidence).length <= MAX_EVIDENCE, {
    error: `takes at most ${MAX_EVIDENCE} characters of JSON`,
  }),
);

/** A recorded move of a channel. Moves are never changed and never deleted. */
export const ReleaseSchema = z.strictObject({
  task: TaskIdSchema,
  /** Number of the move among those of the task's channels, from 1 without gaps: the order of moves. */
  sequence: z.int().check(z.minimum(1)),
  channel: ChannelSchema,
  /** The checkpoint that the channel names from then on; null: the channel was emptied, which production never is. */
  checkpoint: z.nullable(CheckpointIdSchema),
  /** SHA-256 of that checkpoint's float32 weights. */
  hash: z.nullable(HashSchema),
  /** The checkpoint that the channel named before; null: none. */
  before: z.nullable(CheckpointIdSchema),
  /** The move that this one takes back; null: it takes back none. */
  undoes: z.nullable(z.int()),
  /** Milliseconds since the epoch. */
  at: z.number(),
  by: CauseSchema,
  reason: z.string(),
  evidence: z.nullable(JsonSchema),
});
export type Release = z.infer<typeof ReleaseSchema>;
