import * as z from 'zod/mini';
import { type ClusterSums, clusteredMean } from '../statistics/clustered-mean.ts';
import {
  fairBinomialLower,
  normalUpper,
  normalUpperQuantile,
  tUpper,
  tUpperQuantile,
} from '../statistics/distributions.ts';
import { obrienFlemingSpending, spendingBounds } from '../statistics/spending.ts';
import { type Decision, invalid, type ParsedRule, refused } from './rule.ts';

/** The rule that ends a canary: a release that a share of the participants has, beside an equal control group. */
export const CanaryRuleSchema = z.strictObject({
  kind: z.literal('canary'),
  /** The probability, over all looks and guard metrics, that equal models are told apart. */
  alpha: z.number(),
  /**
   * The probability that a canary whose devices report as often as the others' is found silent at its last look. Left out: a tenth
   * of `alpha`, since the groups differ in number by the draw of them too.
   */
  silence: z.exactOptional(z.number()),
  /** Participants with outcomes in both groups together at which the last look is taken. */
  participants: z.int().check(z.minimum(10), z.maximum(10_000_000)),
  /** The increase of a guard metric, a share, that is accepted at the last look. */
  margin: z.number(),
  /** Periods after which it ends with those that there are. */
  periods: z.int().check(z.minimum(1), z.maximum(1000)),
});
export type CanaryRule = z.infer<typeof CanaryRuleSchema>;

/** A metric of which less is better, such as the mean error, summed over the predictions of each group since the canary began. */
export interface Guard {
  readonly name: string;
  readonly canary: ClusterSums;
  readonly control: ClusterSums;
}

export interface CanaryEvidence {
  /** At least one; each a mean of numbers in [0, 1]. */
  readonly guards: readonly Guard[];
  /** Shares of the planned participants at earlier looks, ascending. */
  readonly looks: readonly number[];
  /** Periods since it began. */
  readonly periods: number;
  /** True where the data of this period are broken: nothing is concluded from them. */
  readonly dataQuality: boolean;
  /** The variance of the noise that each number of participants has; 0: they are exact. */
  readonly noise: number;
}

export type CanaryReason =
  | { readonly hindrance: 'data-quality' }
  /** No participants since the last look. */
  | { readonly hindrance: 'nothing-new' }
  /** Fewer participants of the canary report than chance explains: it is not promoted. */
  | {
      readonly hindrance: 'fewer-participants';
      readonly canary: number;
      readonly control: number;
      /** The probability of so few, or fewer, of all these participants in a group of equal share. */
      readonly p: number;
      /** The p-value from which on the number is taken for chance. */
      readonly bound: number;
    }
  | {
      readonly guard: string;
      readonly outcome: 'worse' | 'better' | 'no-worse' | 'undecided';
      /** The canary's mean less the control group's. */
      readonly difference: number;
      readonly z: number;
      /** The bound of |z| at this look. */
      readonly bound: number;
    };

export interface CanaryDecision extends Decision<'promote' | 'hold' | 'roll-back', CanaryReason> {
  /** The share of the planned participants at this look, to be kept with the earlier ones; `null` where none was taken. */
  readonly look: number | null;
}

/** The largest t that is believed: groups in which all say the same have no error that could be estimated. */
const LARGEST_T = 50;

export function parseCanary(input: unknown): ParsedRule<CanaryRule> {
  const { success, data: rule, error } = CanaryRuleSchema.safeParse(input);
  if (!success) return invalid(error);
  for (const field of ['alpha', 'silence'] as const) {
    const error = rule[field] ?? rule.alpha;
    if (!(error > 0)) return refused('rule-never', field, 'Nothing is certain. State an error above 0.');
    if (error >= 0.5) return refused('rule-always', field, 'Chance alone would end it. State less than 0.5.');
  }
  if (rule.margin >= 1)
    return refused('rule-always', 'margin', 'A share never rises by more than 1. State less.');
  if (!(rule.margin > 0))
    return refused('rule-never', 'margin', 'No data exclude an increase of 0. State one above 0.');
  return { rule, refusal: null };
}

/**
 * Decides about a canary by a group-sequential test: at each look |z| of the difference between the groups is held against
 * bounds that spend the error as O'Brien and Fleming's do (Lan and DeMets 1983), for each guard metric an equal part. Worse on any
 * ends it with a roll-back, better on all with a promotion. At the last look it is promoted where an increase by the margin is
 * excluded for all, and rolled back where not. The difference is judged by Student's t with the degrees of freedom of the smaller
 * group, as the z that is as rare: a few participants that agree are no proof.
 *
 * Errors are those of the participants that report. A candidate that makes devices fall silent is judged by the others, so that it
 * is promoted only while its participants are not significantly fewer than the control group's. Until the last look it is held,
 * since devices that load a model are late; at the last look it is rolled back.
 */
export function decideCanary(rule: CanaryRule, evidence: CanaryEvidence): CanaryDecision {
  const { guards, looks, periods, dataQuality, noise } = evidence;
  if (dataQuality) return { act: 'hold', why: [{ hindrance: 'data-quality' }], look: null };
  const seen = Math.min(...guards.map(({ canary, control }) => canary.clusters + control.clusters));
  const isLast = seen >= rule.participants || periods >= rule.periods;
  const now = isLast ? 1 : seen / rule.participants;
  if (!(now > (looks.at(-1) ?? 0))) return { act: 'hold', why: [{ hindrance: 'nothing-new' }], look: null };
  const bound = boundOf([...looks, now], rule.alpha / guards.length);
  const judged = guards.map((guard) => judge(guard, { bound, margin: rule.margin, isLast }));
  const fewer = silence(guards, { level: rule.silence ?? rule.alpha / 10, noise });
  const all = (...outcomes: readonly string[]) => judged.every(({ outcome }) => outcomes.includes(outcome));
  const isWorse = judged.some(({ outcome }) => outcome === 'worse');
  const isGood = fewer === null && (all('better') || (isLast && all('better', 'no-worse')));
  const act = isWorse ? 'roll-back' : isGood ? 'promote' : isLast ? 'roll-back' : 'hold';
  return { act, why: fewer === null ? judged : [...judged, fewer], look: now };
}

/**
 * Whether the canary has significantly fewer participants than the control group in any guard metric, by a one-sided test of error
 * `level` over all of them. The groups have equal shares: given n participants in both, those of the canary are binomial(n, ½). With
 * noise of variance σ² on both numbers, their difference varies by n + 2σ², and is taken for normal, less one as a correction for continuity.
 */
function silence(
  guards: readonly Guard[],
  { level, noise }: { level: number; noise: number },
): Extract<CanaryReason, { hindrance: 'fewer-participants' }> | null {
  const bound = level / guards.length;
  const tested = guards.map((guard) => {
    const [canary, control] = [guard.canary.clusters, guard.control.clusters];
    const p =
      noise === 0
        ? fairBinomialLower(canary, canary + control)
        : normalUpper((control - canary - 1) / Math.sqrt(canary + control + 2 * noise));
    return { hindrance: 'fewer-participants', canary, control, p, bound } as const;
  });
  const least = tested.reduce((one, other) => (other.p < one.p ? other : one));
  return least.p < bound ? least : null;
}

function boundOf(fractions: readonly number[], alpha: number): number {
  return spendingBounds(fractions, obrienFlemingSpending(fractions, alpha)).at(-1) as number;
}

/** The z that is as rare as a t of so many degrees of freedom. */
function asNormal(t: number, degrees: number): number {
  return Math.sign(t) * normalUpperQuantile(tUpper(Math.min(LARGEST_T, Math.abs(t)), degrees));
}

function judge(
  { name, canary, control }: Guard,
  { bound, margin, isLast }: { bound: number; margin: number; isLast: boolean },
) {
  const [ours, theirs] = [clusteredMean(canary), clusteredMean(control)];
  // Groups of fewer than two participants tell nothing.
  if (ours === null || theirs === null)
    return { guard: name, outcome: 'undecided', difference: 0, z: 0, bound } as const;
  const difference = ours.mean - theirs.mean;
  const error = Math.hypot(ours.cr1, theirs.cr1);
  const degrees = Math.min(ours.degrees, theirs.degrees);
  const z =
    difference === 0
      ? 0
      : asNormal(error === 0 ? Math.sign(difference) * LARGEST_T : difference / error, degrees);
  const upper = difference + tUpperQuantile(0.05, degrees) * error;
  const outcome =
    z > bound ? 'worse' : z < -bound ? 'better' : isLast && upper < margin ? 'no-worse' : 'undecided';
  return { guard: name, outcome, difference, z, bound } as const;
}
