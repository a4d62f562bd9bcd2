import type { Section } from '@coppice/protocol';
import type { Contribution } from '../contributions/payload.ts';
import { type NormBound, namedNorms } from '../pipeline/norm-bound.ts';
import type { Steps } from '../steps.ts';
import { checkShape, inspect } from './check-values.ts';
import { MeasureSum } from './measure-sum.ts';
import { vectorOf, weightIn } from './section-vector.ts';
import type { Added, Aggregate, Limits, Sum } from './sum.ts';

/**
 * The sum for strategies that need every contribution by itself: it checks and counts contributions and sums their
 * measures, while their vectors stay in the spool, to be read from there as `Rows`.
 */
export class RowsSum implements Sum {
  readonly #vectors: readonly Section[];
  readonly measures: MeasureSum;
  #count = 0;
  #weight = 0;

  constructor(sections: readonly Section[]) {
    this.#vectors = sections.filter(({ measures }) => !measures);
    this.measures = new MeasureSum(
      sections.filter(({ measures }) => measures).flatMap(({ tensors }) => tensors),
    );
  }

  get count(): number {
    return this.#count;
  }

  get weight(): number {
    return this.#weight;
  }

  *add({ vectors, measures }: Contribution, weight: number, limits: Limits): Steps<Added> {
    let factor = 1;
    const factors = new Map<string, NormBound>();
    const norms: Record<string, number> = {};
    for (const section of this.#vectors) {
      const values = vectorOf(vectors, section.group);
      const counted = weightIn(section, weight);
      checkShape(values.parameters, section.parameters, counted);
      const limit = limits.get(section.group);
      const found = yield* inspect(values, counted, limit);
      if (found.fault !== null) throw found.fault;
      if (limit !== undefined) Object.assign(norms, namedNorms(section, found.norms));
      factor = Math.min(factor, found.factor);
      factors.set(section.group, found.factors);
    }
    this.measures.add(measures);
    this.#count += 1;
    this.#weight += weight;
    return { factor, factors, norms };
  }

  // biome-ignore lint/correctness/useYield: a sum is read in steps; this one has none.
  *aggregate(): Steps<Aggregate> {
    if (this.#count === 0) throw new RangeError('no contribution was added');
    return { count: this.#count, weight: this.#weight, means: new Map(), measures: this.measures.totals() };
  }

  /** Rows are read where they were spooled; there is nothing to send elsewhere but the measures. */
  partial(): null {
    return null;
  }

  merge(): void {
    throw new Error('rows are not merged; they are read from the spools that hold them');
  }

  release(): void {}
}
