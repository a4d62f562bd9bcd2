import * as z from 'zod/mini';

/* The origin of models: the identity of a checkpoint, and the cause of a run or a release. */

/** `<run>/<round>`: round 0 holds the initial weights. The hash of the weights is a property of a checkpoint, not its name. */
export const CheckpointIdSchema = z
  .string()
  .check(z.regex(/^[a-z0-9][a-z0-9-]{0,80}\/(0|[1-9]\d{0,8})$/, 'takes <run>/<round>'));
export type CheckpointId = z.infer<typeof CheckpointIdSchema>;

export function checkpointId(run: string, round: number): CheckpointId {
  return `${run}/${round}`;
}

/** The run and the round of a checkpoint's identity. */
export function partsOfCheckpointId(id: CheckpointId): { run: string; round: number } {
  const [run = '', round = ''] = id.split('/');
  return { run, round: Number(round) };
}

/** The cause of a run or a release. `name` of an admin is the one at that time, empty where unknown. */
export const CauseSchema = z.discriminatedUnion('by', [
  z.strictObject({ by: z.literal('admin'), name: z.string() }),
  /** A firing of the task's trigger, or the machine that carries it on; `name` is its first cause, such as `drift`. */
  z.strictObject({ by: z.literal('trigger'), name: z.string(), firing: z.int().check(z.minimum(1)) }),
]);
export type Cause = z.infer<typeof CauseSchema>;
