import * as z from 'zod/mini';
import {
  type ClusteredMean,
  type ClusterSums,
  clusteredLower,
  clusteredMean,
  clusteredUpper,
} from '../statistics/clustered-mean.ts';
import { type Discordant, mcnemar } from '../statistics/mcnemar.ts';
import { type Decision, invalid, type ParsedRule, refused } from './rule.ts';

/** The rule by which a candidate is compared with the model in production, on examples that neither was trained on. */
export const GateRuleSchema = z.strictObject({
  kind: z.literal('gate'),
  /** The probability that of all candidates of a quarter one is taken that is no better. */
  alpha: z.number(),
  /** The share of hits that a candidate may lose on older examples. */
  older: z.number(),
  /** The share of hits by which the worst tenth of participants may be worse off. */
  worst: z.number(),
  /** Participants below which nothing is concluded. */
  fewest: z.int().check(z.minimum(5), z.maximum(100_000)),
});
export type GateRule = z.infer<typeof GateRuleSchema>;

/** Hits of the candidate less those of the model in production, by example: −1, 0 or 1; summed with participants as clusters. */
export interface GateEvidence {
  /** The candidate's number among those of its quarter, from 1. */
  readonly candidate: number;
  readonly recent: ClusterSums;
  readonly discordant: Discordant;
  readonly older: ClusterSums;
  /** By class; empty where the target is a number. */
  readonly classes: readonly ClusterSums[];
  /** Numbers of participants by their share of hits, in equal bins from 0 to 1; empty where it is not measured. */
  readonly accuracies: { readonly production: readonly number[]; readonly candidate: readonly number[] };
}

export interface GateReason {
  readonly check: 'recent' | 'discordant' | 'older' | 'class' | 'worst-tenth';
  readonly outcome: 'passed' | 'failed' | 'unknown';
  /** The class, for the check of one. */
  readonly index?: number;
  /** The difference in hits that was seen; `null` where there is none. */
  readonly difference: number | null;
  /** The number that decides, the end of an interval or a p-value, and the bound that it is held against. */
  readonly value: number | null;
  readonly bound: number;
}

export function parseGate(input: unknown): ParsedRule<GateRule> {
  const { success, data: rule, error } = GateRuleSchema.safeParse(input);
  if (!success) return invalid(error);
  const { alpha, older, worst } = rule;
  if (!(alpha > 0))
    return refused('rule-never', 'alpha', 'No candidate is better with certainty. State an error above 0.');
  if (alpha >= 0.5)
    return refused(
      'rule-always',
      'alpha',
      'Half of all candidates would pass by chance. State less than 0.5.',
    );
  for (const [field, margin] of [
    ['older', older],
    ['worst', worst],
  ] as const) {
    if (margin >= 1)
      return refused('rule-always', field, 'A share never falls by more than 1. State a smaller loss.');
    if (!(margin > 0))
      return refused('rule-never', field, 'A loss of 0 cannot be excluded by any data. State one above 0.');
  }
  return { rule, refusal: null };
}

/**
 * Decides whether a candidate may go on to a canary: better on recent examples, and no worse on older ones, on any class, nor for
 * the worst tenth of participants. The error is spent over the candidates of a quarter by α · 6 / (π² k²), which adds up to α.
 */
export function decideGate(
  rule: GateRule,
  evidence: GateEvidence,
): Decision<'accept' | 'refuse' | 'wait', GateReason> {
  const alpha = (rule.alpha * 6) / (Math.PI * evidence.candidate) ** 2;
  const why = [
    ...recentReasons(rule, evidence, alpha),
    ...olderReasons(rule, evidence),
    ...classReasons(rule, evidence),
    ...worstReasons(rule, evidence),
  ];
  const failed = why.some(({ outcome }) => outcome === 'failed');
  // Of a class that few participants have, nothing is known, and nothing asked.
  const missing = why.some(({ check, outcome }) => outcome === 'unknown' && check !== 'class');
  // More answers mend what is unknown, and not what failed.
  return { act: failed ? 'refuse' : missing ? 'wait' : 'accept', why };
}

function meanOf(sums: ClusterSums, fewest: number): ClusteredMean | null {
  return sums.clusters < fewest ? null : clusteredMean(sums);
}

function reason(
  check: GateReason['check'],
  difference: number | null,
  value: number | null,
  bound: number,
  passed: boolean,
): GateReason {
  return {
    check,
    outcome: value === null ? 'unknown' : passed ? 'passed' : 'failed',
    difference,
    value,
    bound,
  };
}

function recentReasons(
  { fewest }: GateRule,
  { recent, discordant }: GateEvidence,
  alpha: number,
): GateReason[] {
  const mean = meanOf(recent, fewest);
  if (mean === null)
    return [reason('recent', null, null, 0, false), reason('discordant', null, null, alpha, false)];
  const lower = clusteredLower(mean, alpha);
  const { exact } = mcnemar(discordant);
  // The exact test is two-sided, and only one of its sides is asked for.
  const p = discordant.won > discordant.lost ? exact / 2 : 1;
  return [
    reason('recent', mean.mean, lower, 0, lower > 0),
    reason('discordant', mean.mean, p, alpha, p <= alpha),
  ];
}

function olderReasons({ older: margin, fewest }: GateRule, { older }: GateEvidence): GateReason[] {
  // Where nobody holds out an older example, as in the first days of a task, there is nothing to lose.
  if (older.clusters === 0) return [];
  const mean = meanOf(older, fewest);
  if (mean === null) return [reason('older', null, null, -margin, false)];
  const lower = clusteredLower(mean, 0.05);
  return [reason('older', mean.mean, lower, -margin, lower > -margin)];
}

/** A class speaks against a candidate where it is worse with 95 % certainty over all classes (Bonferroni). */
function classReasons({ fewest }: GateRule, { classes }: GateEvidence): GateReason[] {
  return classes.map((sums, index) => {
    const mean = meanOf(sums, fewest);
    const upper = mean === null ? null : clusteredUpper(mean, 0.05 / classes.length);
    return { ...reason('class', mean?.mean ?? null, upper, 0, upper === null || upper >= 0), index };
  });
}

function worstReasons({ worst, fewest }: GateRule, { accuracies }: GateEvidence): GateReason[] {
  const { production, candidate } = accuracies;
  if (production.length === 0) return [];
  const enough = Math.min(total(production), total(candidate)) >= fewest;
  const difference = enough ? tenth(candidate) - tenth(production) : null;
  return [reason('worst-tenth', difference, difference, -worst, difference !== null && difference >= -worst)];
}

/** The share of hits that a tenth of the participants does not reach, by linear interpolation within its bin. */
function tenth(histogram: readonly number[]): number {
  let left = total(histogram) / 10;
  for (const [bin, count] of histogram.entries()) {
    if (left < count) return (bin + left / count) / histogram.length;
    left -= count;
  }
  return 1;
}

function total(histogram: readonly number[]): number {
  return histogram.reduce((sum, one) => sum + one, 0);
}
