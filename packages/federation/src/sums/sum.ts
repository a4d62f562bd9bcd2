import type { Measures } from '../contributions/measures.ts';
import type { Contribution } from '../contributions/payload.ts';
import type { NormBound, Norms } from '../pipeline/norm-bound.ts';
import type { Steps } from '../steps.ts';
import type { PartialSum } from './accumulator.ts';
import type { NormLimit } from './check-values.ts';
import type { MeasureSum, PartialMeasures } from './measure-sum.ts';

/** Norm limits of a contribution's vectors, by group. */
export type Limits = ReadonlyMap<string, NormLimit>;

/** A sum of contributions to be merged elsewhere: by group, and the measures. */
export interface PartialContributions {
  readonly count: number;
  readonly weight: number;
  readonly vectors: Readonly<Record<string, PartialSum>>;
  readonly measures: PartialMeasures;
}

/** A contribution that was added. */
export interface Added {
  /** The smallest factor by which the limits shortened any of it: 1 where it was within all of them. */
  readonly factor: number;
  /** The factors of its vectors' steps and averages, by group. */
  readonly factors: ReadonlyMap<string, NormBound>;
  /** L2 norms of its vectors before scaling, by the names of norms (`normName`); only of groups with a limit. */
  readonly norms: Norms;
}

/** The aggregate of an exchange's contributions. */
export interface Aggregate {
  /** Contributions summed. */
  readonly count: number;
  /** The sum of their weights. */
  readonly weight: number;
  /** By group, in float64: Σ weight · x ÷ Σ weight, or Σ x ÷ count where the layout weighs by one. */
  readonly means: ReadonlyMap<string, Float64Array>;
  /** The measures' sums. */
  readonly measures: Measures;
}

/**
 * A sum of contributions of one layout. The result does not depend on the order in which they are added, nor on how
 * partial sums were grouped.
 */
export interface Sum {
  readonly count: number;
  readonly weight: number;
  /** Readable at any time. */
  readonly measures: MeasureSum;
  /**
   * Adds one contribution, a piece at a time. It counts when the steps are done; given up in between (`giveUp`), nothing
   * was added.
   *
   * @throws CoppiceError `update-shape`, `update-examples`, `update-not-finite`, `update-norm`, `update-out-of-range`;
   *   then nothing was added.
   */
  add(contribution: Contribution, weight: number, limits: Limits): Steps<Added>;
  /** Nothing may be added until the steps are done. @throws RangeError where nothing was added. */
  aggregate(): Steps<Aggregate>;
  /** `null` where the contributions themselves are needed elsewhere. */
  partial(): PartialContributions | null;
  /** @throws CoppiceError `update-shape`, `update-out-of-range` */
  merge(partial: PartialContributions): void;
  /** Gives its memory back. Counts and measures can still be read. */
  release(): void;
}
