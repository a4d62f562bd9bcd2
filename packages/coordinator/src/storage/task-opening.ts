import { HashSchema, TaskIdSchema } from '@coppice/protocol';
import * as z from 'zod/mini';

/** Kinds of exchanges that belong to a task and to no run. */
const taskExchangeKinds = ['report', 'statistics', 'compare'] as const;

const time = z.number().check(z.refine(Number.isFinite, 'is a finite time'));

/**
 * The opening of an exchange of a task, with everything that another process needs to resume it. Unlike a round it has no
 * cohort: participants come while it is open.
 */
export const TaskOpeningSchema = z.object({
  task: TaskIdSchema,
  kind: z.enum(taskExchangeKinds),
  /** The number of the period, of the part of a reference, or of the comparison. */
  period: z.int().check(z.minimum(0)),
  /** The hash of the binning or the reference that its reports are made with (`identityOf`); null for `compare`. */
  reference: z.nullable(HashSchema),
  /** The hash of its answers' layout, in hexadecimal digits. */
  layout: z.string().check(z.regex(/^[0-9a-f]{32}$/)),
  /** The version of the consent that its reports are made under; null in openings of earlier versions. */
  consent: z._default(z.nullable(HashSchema), null),
  /** The hashes of the models that its answers are about; null in openings of earlier versions. */
  models: z._default(z.nullable(z.array(HashSchema)), null),
  /** The noise that is added to its sum, from a secret seed that no other sum is given; null: none. */
  noise: z._default(
    z.nullable(
      z.object({
        seed: z.string().check(z.minLength(20), z.maxLength(200)),
        /** The cost of the sum, in ρ of zero-concentrated differential privacy. */
        rho: z.number().check(z.positive()),
        /** The variance of the noise in each number. */
        variance: z.number().check(z.positive()),
      }),
    ),
    null,
  ),
  /** Milliseconds since 1970. */
  startedAt: time,
  deadlineAt: time,
});
export type TaskOpening = z.infer<typeof TaskOpeningSchema>;

/**
 * The owner under which a task's answers are spooled: at most one exchange of each kind is open. The dot keeps it apart
 * from every run.
 */
export function taskOwner({ task, kind }: Pick<TaskOpening, 'task' | 'kind'>): string {
  return `${kind}.${task}`;
}
