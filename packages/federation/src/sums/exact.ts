import { CoppiceError, type Section } from '@coppice/protocol';
import type { Values } from '../codecs/values.ts';
import type { Contribution } from '../contributions/payload.ts';
import { type NormBound, namedNorms } from '../pipeline/norm-bound.ts';
import { type Steps, undo } from '../steps.ts';
import { ExactAccumulator, type Held, type PartialSum } from './accumulator.ts';
import { judged, type NormLimit } from './check-values.ts';
import { MeasureSum } from './measure-sum.ts';
import { vectorOf, weightIn } from './section-vector.ts';
import { shortenedValues } from './shortened.ts';
import type { Added, Aggregate, Limits, PartialContributions, Sum } from './sum.ts';

/**
 * The exact sum of contributions: every group in whole numbers of its own unit, weighted as its layout says. Memory: 8
 * bytes a parameter, 16 where values are large, however many contributions.
 */
export class ExactSum implements Sum {
  readonly #vectors: ReadonlyMap<string, { section: Section; sum: ExactAccumulator }>;
  readonly measures: MeasureSum;
  #count = 0;
  #weight = 0;

  constructor(sections: readonly Section[]) {
    this.#vectors = new Map(
      sections
        .filter(({ measures }) => !measures)
        .map((section) => [
          section.group,
          { section, sum: new ExactAccumulator(section.parameters, undefined, section.unit) },
        ]),
    );
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

  *add(contribution: Contribution, weight: number, limits: Limits): Steps<Added> {
    const { vectors, measures } = contribution;
    const held: Held[] = [];
    const norms: Record<string, number> = {};
    const factors = new Map<string, NormBound>();
    let factor = 1;
    let done = false;
    try {
      for (const [group, { section, sum }] of this.#vectors) {
        const limit = limits.get(group);
        const one = yield* hold(sum, vectorOf(vectors, group), weightIn(section, weight), limit);
        held.push(one);
        factor = Math.min(factor, one.factor);
        factors.set(group, one.factors);
        if (limit !== undefined) Object.assign(norms, namedNorms(section, one.norms));
      }
      this.measures.add(measures);
      done = true;
    } finally {
      // Refused or given up at any group: those before it are taken off again.
      if (!done) yield* undo(takenOff(held));
    }
    for (const one of held) one.count();
    this.#count += 1;
    this.#weight += weight;
    return { factor, factors, norms };
  }

  *aggregate(): Steps<Aggregate> {
    const means = new Map<string, Float64Array>();
    for (const [group, { sum }] of this.#vectors) means.set(group, yield* sum.meanInSteps());
    return { count: this.#count, weight: this.#weight, means, measures: this.measures.totals() };
  }

  partial(): PartialContributions {
    return {
      count: this.#count,
      weight: this.#weight,
      vectors: Object.fromEntries([...this.#vectors].map(([group, { sum }]) => [group, sum.partial()])),
      measures: this.measures.partial(),
    };
  }

  merge({ count, weight, vectors, measures }: PartialContributions): void {
    const groups = [...this.#vectors.keys()];
    if (Object.keys(vectors).length !== groups.length || !groups.every((group) => group in vectors))
      throw new CoppiceError(
        'update-shape',
        'A partial sum of another layout cannot be merged into this one.',
      );
    for (const [group, { sum }] of this.#vectors) sum.requireMergeable(vectors[group] as PartialSum);
    this.measures.merge(measures);
    for (const [group, { sum }] of this.#vectors) sum.merge(vectors[group] as PartialSum);
    this.#count += count;
    this.#weight += weight;
  }

  release(): void {
    for (const { sum } of this.#vectors.values()) sum.release();
  }
}

function* takenOff(held: readonly Held[]): Steps<void> {
  for (const one of held) yield* one.takeOff();
}

/**
 * Holds a vector in a sum. Where it has steps and averages, each are shortened by their own factor and rounded to float32,
 * so that a bound on one leaves the other as it is; a vector of one kind counts with a smaller weight.
 */
function* hold(
  sum: ExactAccumulator,
  values: Values,
  weight: number,
  limit: NormLimit | undefined,
): Steps<Held & { readonly factors: NormBound }> {
  const isMixed = new Set(limit?.layout.map(({ trainable }) => trainable)).size > 1;
  if (limit?.counted === undefined || !isMixed) {
    const held = yield* sum.holdInSteps(values, weight, limit);
    return { ...held, factors: factorsOf(held.norms, limit) };
  }
  const { counted, ...refusing } = limit;
  const whole = yield* sum.holdInSteps(values, weight, refusing);
  const factors = factorsOf(whole.norms, limit);
  const factor = Math.min(factors.trainable, factors.nonTrainable);
  if (factor === 1) return { ...whole, factors };
  yield* undo(whole.takeOff());
  const held = yield* sum.holdInSteps(shortenedValues(values, limit.layout, factors), weight);
  return { ...held, norms: whole.norms, factor, factors };
}

function factorsOf({ trainable, nonTrainable }: NormBound, limit: NormLimit | undefined): NormBound {
  return judged({ trainable: trainable ** 2, nonTrainable: nonTrainable ** 2 }, limit).factors;
}
