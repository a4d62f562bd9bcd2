import * as z from 'zod/mini';
import { MINIMUM_COUNT } from '../report/summarise.ts';
import { invalid, type ParsedRule, refused } from './rule.ts';

/** The rule by which a task's periods are judged. */
export const WatchRuleSchema = z.strictObject({
  kind: z.literal('watch'),
  /** The effect above which a shift matters, as a population stability index: 0.1 is small, 0.25 is large. */
  threshold: z.number(),
  /** One false alarm in so many periods, for drift and for data quality each. */
  every: z.number(),
  /** Participants below which nothing is told of a histogram or a share. */
  fewest: z.int().check(z.minimum(2), z.maximum(10_000)),
  /** Observations of a device below which nothing leaves it. */
  minimum: z.int().check(z.minimum(1), z.maximum(10_000)),
});
export type WatchRule = z.infer<typeof WatchRuleSchema>;

export const defaultWatch: WatchRule = {
  kind: 'watch',
  threshold: 0.1,
  every: 100,
  fewest: 5,
  minimum: MINIMUM_COUNT,
};

/** The largest threshold: an index that no shift between bins of a tenth reaches. */
const MAX_THRESHOLD = 10;

/** The periods of the rarest promise: a day each, it is three thousand years. */
const MAX_EVERY = 1_000_000;

export function parseWatch(input: unknown): ParsedRule<WatchRule> {
  const { success, data: rule, error } = WatchRuleSchema.safeParse(input);
  if (!success) return invalid(error);
  const { threshold, every } = rule;
  if (!(threshold > 0))
    return refused(
      'rule-always',
      'threshold',
      'Any shift is above 0, given enough examples. State a threshold above 0.',
    );
  if (threshold > MAX_THRESHOLD)
    return refused('rule-never', 'threshold', `Hardly any shift is above ${MAX_THRESHOLD}. State less.`);
  if (!(every >= 2))
    return refused(
      'rule-always',
      'every',
      'With a false alarm in every period, an alarm tells nothing. State 2 periods or more.',
    );
  if (every > MAX_EVERY)
    return refused('rule-never', 'every', `No data are so certain. State ${MAX_EVERY} periods or fewer.`);
  return { rule, refusal: null };
}
