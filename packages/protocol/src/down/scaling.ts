import * as z from 'zod/mini';
import { HashSchema } from '../hash.ts';
import { RunIdSchema } from '../run.ts';
import { AgreedScalingSchema } from '../scaling.ts';

/**
 * The participants agreed on the scaling of the run's task; sent to all that joined the run, before the first question to
 * train. `scaling` belongs into the task's data (`withScaling`); `recipe` is the hash of the recipe then. A participant
 * that gets another hash joins again.
 */
export const ScalingAgreedSchema = z.object({
  run: RunIdSchema,
  scaling: AgreedScalingSchema,
  recipe: HashSchema,
});
export type ScalingAgreed = z.infer<typeof ScalingAgreedSchema>;
