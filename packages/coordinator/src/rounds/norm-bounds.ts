import { medianOf, type Norms, normNames } from '@coppice/federation';
import type { Plan, Round, Section } from '@coppice/protocol';

/** Number of rounds whose median norms determine the next bound. */
const RECENT_ROUNDS = 5;
/** Largest ratio of a bound to the one before it. */
const GROWTH = 2;
/** Least ratio of a bound to the first one, so that a bound can grow again after rounds of zeros. */
const LEAST_SHARE = 1e-3;

/** The parts of a round record that determine the next bounds. */
export type NormHistory = Pick<Round, 'normBounds' | 'norms'>;

/**
 * The norm bounds of a round. With m₁ … m₅ the median norms of the last five committed rounds (or as many as there are)
 * and b the last round's bound,
 *
 *   bound = min(2 b, max(b₀ / 1000, normFactor · median(m₁ … m₅))),
 *
 * where b₀ is the first round's bound: the plan's `firstNorm` for steps, none for averages. Medians are of the updates
 * before scaling: less than half of a cohort cannot move them beyond the others' values.
 *
 * @param last the round that made the current model; `null` before the first.
 * @returns bounds by the names of norms; a name that is missing has no bound. `null`: the plan sets no bound.
 */
export function nextNormBounds(
  { normFactor, firstNorm }: Pick<Plan, 'normFactor' | 'firstNorm'>,
  sections: readonly Section[],
  last: NormHistory | null,
): Norms | null {
  if (normFactor === null) return null;
  const bounds: Record<string, number> = {};
  for (const section of sections) {
    for (const name of normNames(section)) {
      const first = name === section.group ? firstNorm : null;
      const before = last?.normBounds?.[name] ?? first;
      const recent = last?.norms?.[name] ?? [];
      const wanted = Math.max(LEAST_SHARE * (first ?? 0), normFactor * medianOf(recent));
      const bound =
        recent.length === 0 ? before : Math.min(wanted, before === null ? wanted : GROWTH * before);
      if (bound !== null && bound > 0) bounds[name] = bound;
    }
  }
  return bounds;
}

/** The median norms of the last rounds, with those of one more round. Without an accepted update they stay unchanged. */
export function recentNorms(
  before: NormHistory['norms'],
  accepted: readonly Norms[],
): NonNullable<NormHistory['norms']> {
  const names = new Set(accepted.flatMap((norms) => Object.keys(norms)));
  return {
    ...before,
    ...Object.fromEntries(
      [...names].map((name) => [
        name,
        [...(before?.[name] ?? []), medianOf(accepted.map((norms) => norms[name] ?? 0))].slice(
          -RECENT_ROUNDS,
        ),
      ]),
    ),
  };
}
