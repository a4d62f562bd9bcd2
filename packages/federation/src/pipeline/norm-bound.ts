import { type ContributionLayout, CoppiceError, type Section, sectionsOf } from '@coppice/protocol';
import { apart } from '../apart.ts';
import type { Bounds } from './pipeline.ts';

/** L2 norms; `Infinity` where there is no bound. */
export interface NormBound {
  /** Over all trainable tensors together. */
  readonly trainable: number;
  /** Over all other tensors together. */
  readonly nonTrainable: number;
}

/** L2 norms, or bounds on them, by the names that `normName` gives. */
export type Norms = Readonly<Record<string, number>>;

/** The name of a norm: the group's for its steps, `<group>/averages` for its averages. */
export function normName(group: string, role: 'step' | 'average'): string {
  return role === 'step' ? group : `${group}/averages`;
}

/** The names of the norms that a section's vectors have. */
export function normNames({ group, tensors, measures }: Section): string[] {
  if (measures) return [];
  const roles = (['step', 'average'] as const).filter((role) =>
    tensors.some((tensor) => tensor.role === role),
  );
  return roles.map((role) => normName(group, role));
}

/** The norms of a section's vector, by name. */
export function namedNorms(section: Section, { trainable, nonTrainable }: NormBound): Norms {
  const steps = normName(section.group, 'step');
  return Object.fromEntries(
    normNames(section).map((name) => [name, name === steps ? trainable : nonTrainable]),
  );
}

/**
 * The bounds that a layout states, by group: beyond them an update is refused. A bound holds for the steps and for the
 * averages, each taken together and by itself: running statistics are averaged plainly, so that one huge one would spoil
 * them for everybody. (Sun et al., "Can You Really Backdoor Federated Learning?", 2019, norm thresholding.)
 */
export function layoutBounds(layout: ContributionLayout): Bounds {
  const bounds = new Map<string, NormBound>();
  for (const { group, tensors, measures } of sectionsOf(layout)) {
    const bound = (role: 'step' | 'average') =>
      (tensors.find((tensor) => tensor.role === role) ?? tensors[0])?.bound ?? Number.POSITIVE_INFINITY;
    if (!measures) bounds.set(group, { trainable: bound('step'), nonTrainable: bound('average') });
  }
  return bounds;
}

/** Bounds by the names of norms, as bounds by group. Without a name there is no bound, and a group without any is left out. */
export function namedBounds(bounds: Norms, sections: readonly Section[]): Bounds {
  const bound = (group: string, role: 'step' | 'average') =>
    bounds[normName(group, role)] ?? Number.POSITIVE_INFINITY;
  return new Map(
    sections
      .filter((section) => normNames(section).some((name) => bounds[name] !== undefined))
      .map(({ group }) => [
        group,
        { trainable: bound(group, 'step'), nonTrainable: bound(group, 'average') },
      ]),
  );
}

/**
 * Returns the refusal of an update whose norm exceeds its bound; otherwise `null`.
 *
 * @param squares Σ value² of its trainable tensors and of the others.
 */
export function checkNorm(squares: NormBound, bound: NormBound): CoppiceError | null {
  return (
    check(Math.sqrt(squares.trainable), bound.trainable, 'norm') ??
    check(Math.sqrt(squares.nonTrainable), bound.nonTrainable, 'non-trainable part’s norm')
  );
}

function check(norm: number, bound: number, what: string): CoppiceError | null {
  if (norm <= bound) return null;
  return new CoppiceError(
    'update-norm',
    `The update's ${what} is ${apart(norm, bound)}; this run counts updates up to ${apart(bound, norm)}. Training may be diverging here: a smaller learning rate or scaled inputs help.`,
  );
}
