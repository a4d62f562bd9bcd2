import * as z from 'zod/mini';
import { JsonSchema } from './json.ts';

const CountSchema = z.int().check(z.minimum(0));

/** Facts behind the sentence of a failure, by its code. Other codes have none. */
export const failureFacts = {
  /** Updates accepted and updates needed; `deadline`: true where time ran out, false where participants did. */
  'quorum-lost': z.object({ accepted: CountSchema, quorum: CountSchema, deadline: z.boolean() }),
  /** Diverged trainings among the devices asked; or the new model, whose loss is not a number. */
  'training-diverged': z.discriminatedUnion('on', [
    z.object({ on: z.literal('devices'), diverged: CountSchema, asked: CountSchema }),
    z.object({ on: z.literal('model') }),
  ]),
} as const;

/** The facts of each code that has any. */
export type FailureFacts = {
  readonly [C in keyof typeof failureFacts]: Readonly<z.infer<(typeof failureFacts)[C]>>;
};
export type FactsCode = keyof FailureFacts;

/** A code with facts, and the facts. */
export type KnownFailure<C extends FactsCode = FactsCode> = {
  readonly [K in C]: { readonly code: K; readonly facts: FailureFacts[K] };
}[C];

/** Facts on the wire; `knownFailure` reads those of known codes. */
export const FactsSchema = z.record(z.string(), JsonSchema);

/** @returns `null` for a code without facts, or with facts that this side does not know. */
export function knownFailure(code: string, facts: unknown): KnownFailure | null {
  if (!Object.hasOwn(failureFacts, code)) return null;
  const read = failureFacts[code as FactsCode].safeParse(facts);
  return read.success ? ({ code, facts: read.data } as KnownFailure) : null;
}
