import * as z from 'zod/mini';
import {
  type ClusteredMean,
  type ClusterSums,
  clusteredLower,
  clusteredMean,
  clusteredUpper,
} from '../statistics/clustered-mean.ts';
import { normalUpper, normalUpperQuantile } from '../statistics/distributions.ts';
import { type Discordant, mcnemar } from '../statistics/mcnemar.ts';
import { type Decision, invalid, type ParsedRule, refused } from './rule.ts';

/** The rule by which a candidate is compared with the model in production, on examples that neither was trained on. */
export const GateRuleSchema = z.strictObject({
  kind: z.literal('gate'),
  /** The probability that of all candidates of a quarter one is taken that is no better. */
  alpha: z.number(),
  /** The share of hits that a candidate may lose on older examples; null: recent examples alone are compared. */
  older: z.nullable(z.number()),
  /** The share of hits by which the worst tenth of participants may be worse off. */
  worst: z.number(),
  /** Participants below which nothing is concluded. */
  fewest: z.int().check(z.minimum(5), z.maximum(100_000)),
});
export type GateRule = z.infer<typeof GateRuleSchema>;

/**
 * Hits of the candidate less those of the model in production, by example: −1, 0 or 1; their sums over participants, each with a
 * size of 1 at most.
 */
export interface GateEvidence {
  /** The number of participants. */
  readonly participants: number;
  /** The variance of the noise in each of the sums and numbers of participants below; 0: there is none. */
  readonly noise: number;
  /** The candidate's number among those of its quarter, from 1. */
  readonly candidate: number;
  readonly recent: ClusterSums;
  /** Participants for whom the candidate is better on recent examples, and those for whom it is worse. */
  readonly discordant: Discordant;
  /** Null: recent examples alone were compared. */
  readonly older: ClusterSums | null;
  /** By class; empty where the target is a number. */
  readonly classes: readonly ClusterSums[];
  /** By group, "other" last; left out where the task declares none. */
  readonly groups?: readonly ClusterSums[];
  /** Numbers of participants by their share of hits, in equal bins from 0 to 1; empty where it is not measured. */
  readonly accuracies: { readonly production: readonly number[]; readonly candidate: readonly number[] };
}

export interface GateReason {
  readonly check: 'recent' | 'discordant' | 'older' | 'class' | 'group' | 'worst-tenth';
  readonly outcome: 'passed' | 'failed' | 'unknown';
  /** The class or the group, for the check of one. */
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
    if (margin === null) continue;
    if (margin >= 1)
      return refused('rule-always', field, 'A share never falls by more than 1. State a smaller loss.');
    if (!(margin > 0))
      return refused('rule-never', field, 'A loss of 0 cannot be excluded by any data. State one above 0.');
  }
  return { rule, refusal: null };
}

/**
 * Decides whether a candidate may go on to a canary: better on recent examples, on the mean and for more participants than chance makes, and no worse on older ones, on any class, for any group, nor for
 * the worst tenth of participants. The error is spent over the candidates of a quarter by α · 6 / (π² k²), which adds up to α.
 * Noise on the sums widens each interval.
 */
export function decideGate(
  rule: GateRule,
  evidence: GateEvidence,
): Decision<'accept' | 'refuse' | 'wait', GateReason> {
  const alpha = (rule.alpha * 6) / (Math.PI * evidence.candidate) ** 2;
  const why = [
    ...recentReasons(rule, evidence, alpha),
    ...olderReasons(rule, evidence),
    ...partReasons(rule, 'class', evidence.classes, evidence.noise),
    ...partReasons(rule, 'group', evidence.groups ?? [], evidence.noise),
    ...worstReasons(rule, evidence),
  ];
  const failed = why.some(({ outcome }) => outcome === 'failed');
  // Of a class or a group that few participants have, nothing is known, and nothing asked.
  const missing = why.some(
    ({ check, outcome }) => outcome === 'unknown' && check !== 'class' && check !== 'group',
  );
  // More answers mend what is unknown, and not what failed.
  return { act: failed ? 'refuse' : missing ? 'wait' : 'accept', why };
}

/**
 * The mean of sums with noise of the variance σ². A ratio of them, r = s / n, varies by σ² (1 + r²) / n² more, to first order, and
 * is none that could be told from noise where n is no more than 4 σ.
 */
function meanOf(sums: ClusterSums, { fewest }: GateRule, noise: number): ClusteredMean | null {
  const { clusters, examples, sum, sumSquares, products, sizeSquares } = sums;
  if (clusters < fewest || examples <= 4 * Math.sqrt(noise)) return null;
  if (noise === 0) return clusteredMean(sums);
  const mean = sum / examples;
  // Noise may leave squares that no participants have.
  const below = Math.min(0, sumSquares - 2 * mean * products + mean ** 2 * sizeSquares);
  return clusteredMean({ ...sums, sumSquares: sumSquares - below + noise * (1 + mean ** 2) });
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
  rule: GateRule,
  { recent, discordant, noise }: GateEvidence,
  alpha: number,
): GateReason[] {
  const mean = meanOf(recent, rule, noise);
  if (mean === null)
    return [reason('recent', null, null, 0, false), reason('discordant', null, null, alpha, false)];
  const lower = clusteredLower(mean, alpha);
  const p = betterByChance(discordant, noise);
  return [
    reason('recent', mean.mean, lower, 0, lower > 0),
    reason('discordant', mean.mean, p, alpha, p <= alpha),
  ];
}

/** The one-sided p-value that a candidate is better for no more participants than it is worse for. */
function betterByChance({ won, lost }: Discordant, noise: number): number {
  if (won <= lost) return 1;
  // The exact test is two-sided, and only one of its sides is asked for.
  if (noise === 0) return mcnemar({ won, lost }).exact / 2;
  // With Edwards' correction, as McNemar's test of the χ² distribution; the noise of both numbers adds to their variance.
  return normalUpper((won - lost - 1) / Math.sqrt(Math.max(0, won + lost) + 2 * noise));
}

function olderReasons(rule: GateRule, { older, noise }: GateEvidence): GateReason[] {
  const { older: margin } = rule;
  if (margin === null || older === null) return [];
  // Where nobody holds out an older example, as in the first days of a task, there is nothing to lose. Noise hides that.
  if (older.clusters === 0 && noise === 0) return [];
  const mean = meanOf(older, rule, noise);
  if (mean === null) return [reason('older', null, null, -margin, false)];
  const lower = clusteredLower(mean, 0.05);
  return [reason('older', mean.mean, lower, -margin, lower > -margin)];
}

/** A class, or a group, speaks against a candidate where it is worse with 95 % certainty over all of them (Bonferroni). */
function partReasons(
  rule: GateRule,
  check: 'class' | 'group',
  parts: readonly ClusterSums[],
  noise: number,
): GateReason[] {
  return parts.map((sums, index) => {
    const mean = meanOf(sums, rule, noise);
    const upper = mean === null ? null : clusteredUpper(mean, 0.05 / parts.length);
    return { ...reason(check, mean?.mean ?? null, upper, 0, upper === null || upper >= 0), index };
  });
}

/** The standard deviations of noise by which each of both tenths is moved: their difference is then off by less with 95 %. */
const APART = normalUpperQuantile(0.05) / Math.SQRT2;

function worstReasons(
  { worst, fewest }: GateRule,
  { accuracies, participants, noise }: GateEvidence,
): GateReason[] {
  const { production, candidate } = accuracies;
  if (production.length === 0) return [];
  if (participants < fewest) return [reason('worst-tenth', null, null, -worst, false)];
  const [deviation, rank] = [Math.sqrt(noise), participants / 10];
  const difference = tenth(candidate, rank, 0) - tenth(production, rank, 0);
  const lower = tenth(candidate, rank, APART * deviation) - tenth(production, rank, -APART * deviation);
  return [reason('worst-tenth', difference, lower, -worst, lower >= -worst)];
}

/**
 * The share of hits that so many participants do not reach, by linear interpolation within its bin.
 *
 * @param more by which one bin has more participants than it says, k bins √k times as many: the noise of a sum of k.
 */
function tenth(histogram: readonly number[], rank: number, more: number): number {
  let [sum, before] = [0, 0];
  for (const [bin, count] of histogram.entries()) {
    sum += count;
    const reached = sum + more * Math.sqrt(bin + 1);
    if (reached > rank) return (bin + (rank - before) / (reached - before)) / histogram.length;
    before = reached;
  }
  return 1;
}
