import * as z from 'zod/mini';
import type { Verdict } from './verdict.ts';

const share = z.number();
const count = z.int().check(z.minimum(0));
const interval = z.tuple([z.number(), z.number()]);
const shift = { effect: z.number(), interval, p: z.number(), effective: z.nullable(z.number()) };
const alarm = { bound: z.number(), alarm: z.boolean() };
const tested = { alarm: z.boolean(), tested: count, suppressed: count };

/** A verdict as it is stored and sent. */
export const VerdictSchema: z.ZodMiniType<Verdict> = z.object({
  participants: count,
  observations: count,
  drift: z.object({
    ...tested,
    results: z.array(
      z.object({
        role: z.enum(['input', 'prediction', 'confidence']),
        name: z.string(),
        ...shift,
        adjusted: z.number(),
        ...alarm,
        distance: z.nullable(z.number()),
        reference: z.array(share),
        current: z.array(share),
        participants: count,
      }),
    ),
  }),
  quality: z.object({
    ...tested,
    results: z.array(
      z.object({
        name: z.string(),
        fault: z.enum(['missing', 'outside', 'other']),
        ...shift,
        reference: share,
        current: share,
        ...alarm,
        participants: count,
      }),
    ),
  }),
  errors: z.nullable(z.object({ rate: share, interval, participants: count, warned: share })),
});
