import { CONTROL, medianOf, type Norms, normNames, SPREAD_PARTICIPANTS } from '@coppice/federation';
import type { Plan, Round, Section } from '@coppice/protocol';
import { coarse } from './coarse.ts';

/** Number of rounds whose median norms determine the next bound. */
const RECENT_ROUNDS = 5;
/** Largest ratio of a bound to the one before it. */
const GROWTH = 2;
/** Least ratio of a bound to the first one, so that a bound can grow again after rounds of tiny updates. */
const LEAST_SHARE = 1e-3;
/** The first bound to which the least one relates where the plan sets none: the default of `firstNorm`. */
const USUAL_FIRST = 20;
/** Least ratio of a median to the round's bound, in the history, where few answers counted. */
const LEAST_OF_FEW = 1 / 16;

/** The parts of a round record that determine the next bounds. */
export type NormHistory = Pick<Round, 'normBounds' | 'norms'>;

/** The parts of a plan that determine bounds. */
export type NormPlan = Pick<Plan, 'normFactor' | 'firstNorm'> &
  Partial<Pick<Plan, 'controlVariate' | 'epochs' | 'batchSize' | 'learningRate'>>;

/** The norm bounds of a round, once it is known how many examples each available participant announced. */
export type NormBoundsOf = (announced: readonly number[]) => Norms | null;

/**
 * The norm bounds of a round. With m₁ … m₅ the median norms of the last five committed rounds (or as many as there are)
 * and b the last round's bound,
 *
 *   bound = min(2 b, max(b₀ / 1000, normFactor · median(m₁ … m₅))),
 *
 * where b₀ is the plan's `firstNorm` (20 where it has none). The first round's bound is `firstNorm` for steps, none for
 * averages, and for control variates that follow from steps at most `firstNorm` / (K η), with K the number of steps that
 * the median of the announced examples takes: such a variate is a step divided by K η. Medians are of the updates
 * before scaling: less than half of a cohort cannot move them beyond the others' values.
 *
 * @param last the round that made the current model; `null` before the first.
 * @returns bounds by the names of norms; a name that is missing has no bound. `null`: the plan sets no bound.
 */
export function nextNormBounds(
  plan: NormPlan,
  sections: readonly Section[],
  last: NormHistory | null,
): NormBoundsOf {
  const { normFactor, firstNorm } = plan;
  const least = LEAST_SHARE * (firstNorm ?? USUAL_FIRST);
  return (announced) => {
    if (normFactor === null) return null;
    const bounds: Record<string, number> = {};
    for (const section of sections) {
      for (const name of normNames(section)) {
        const first = name === section.group ? firstBound(plan, name, announced) : null;
        const known = last?.normBounds?.[name];
        const before = known === undefined ? first : Math.max(least, known);
        const recent = last?.norms?.[name] ?? [];
        const wanted = Math.max(least, normFactor * medianOf(recent));
        const bound =
          recent.length === 0 ? before : Math.min(wanted, before === null ? wanted : GROWTH * before);
        if (bound !== null) bounds[name] = bound;
      }
    }
    return bounds;
  };
}

/** The first bound on a group's steps; `null`: none. */
function firstBound(
  { firstNorm, controlVariate, epochs = 1, batchSize = 1, learningRate = 1 }: NormPlan,
  group: string,
  announced: readonly number[],
): number | null {
  if (firstNorm === null || group !== CONTROL || controlVariate !== 'steps') return firstNorm;
  const steps = epochs * Math.max(1, Math.ceil(medianOf(announced) / batchSize));
  return Math.min(firstNorm, coarse(firstNorm / (steps * learningRate), announced.length));
}

/**
 * The median norms of the last rounds, with those of one more round. Without an accepted update they stay unchanged.
 *
 * The medians of a round with few accepted updates enter as powers of two, since bounds are told to participants, and not
 * below a sixteenth of the round's bound: so few cannot make the bounds of later rounds useless.
 *
 * @param bounds the round's.
 */
export function recentNorms(
  before: NormHistory['norms'],
  accepted: readonly Norms[],
  bounds: Norms | null,
): NonNullable<NormHistory['norms']> {
  const few = accepted.length <= SPREAD_PARTICIPANTS;
  const medianFor = (name: string): number => {
    const median = coarse(medianOf(accepted.map((norms) => norms[name] ?? 0)), accepted.length);
    return few ? Math.max(median, LEAST_OF_FEW * (bounds?.[name] ?? 0)) : median;
  };
  const names = new Set(accepted.flatMap((norms) => Object.keys(norms)));
  return {
    ...before,
    ...Object.fromEntries(
      [...names].map((name) => [name, [...(before?.[name] ?? []), medianFor(name)].slice(-RECENT_ROUNDS)]),
    ),
  };
}
