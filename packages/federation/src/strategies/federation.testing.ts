import {
  type Codec,
  type Layout,
  type LocalTraining,
  layoutSize,
  type Objective,
  sectionsOf,
  shapeSize,
} from '@coppice/protocol';
import { MODEL_GROUP, modelGroup } from '../contributions/layout.ts';
import type { Learner } from '../learner.ts';
import { pipelineOf } from '../pipeline/index.ts';
import type { PipelineKept, Vectors } from '../pipeline/pipeline.ts';
import { finish } from '../steps.ts';
import type { GlobalModel, RoundResult, Strategy, StrategyState } from '../strategy.ts';
import { ExactSum } from '../sums/exact.ts';
import { rowsInMemory } from '../sums/rows.ts';

/** A layout of tensors in order; names that begin with "mean" are running statistics. */
export function layoutOf(sizes: Readonly<Record<string, number>>): Layout {
  return Object.entries(sizes).map(([name, size]) => ({
    name,
    shape: [size],
    trainable: !name.startsWith('mean'),
  }));
}

/** The result of a round of one contribution, for tests of `apply` alone. */
export function resultOf(
  model: GlobalModel,
  mean: ArrayLike<number>,
  more: Partial<RoundResult> = {},
): RoundResult {
  return {
    round: 1,
    model,
    mean: Float64Array.from(mean),
    means: new Map(),
    measures: new Map(),
    count: 1,
    weight: 1,
    joined: 1,
    ...more,
  };
}

/** f(w) = ½ Σ aⱼ (wⱼ − bⱼ)², a number of a and of b for each trained weight. */
export interface Quadratic {
  readonly a: readonly number[];
  readonly b: readonly number[];
}

/**
 * A device whose loss is a quadratic, with one step an epoch, each gradient corrected as the trainers do. After training,
 * weights that are not trained are the number of steps taken.
 */
export function quadraticLearner(layout: Layout, { a, b }: Quadratic): Learner {
  const places = trainedPlaces(layout);
  const gradientAt = (weights: Float32Array) => {
    const gradient = new Float32Array(weights.length);
    for (const [i, at] of places.entries())
      gradient[at] = (a[i] as number) * ((weights[at] as number) - (b[i] as number));
    return gradient;
  };
  return {
    layout,
    async train(from, { epochs, learningRate }, objective = null) {
      const weights = from.slice();
      for (let step = 0; step < epochs; step++) {
        const gradient = gradientAt(weights);
        const before = weights.slice();
        for (const at of places)
          weights[at] =
            (before[at] as number) -
            learningRate * corrected(gradient[at] as number, before[at] as number, at, objective);
      }
      for (let at = 0; at < weights.length; at++) if (!places.includes(at)) weights[at] = epochs;
      return { weights, steps: epochs, lossSum: 0, examples: 1 };
    },
    gradient: async (at) => gradientAt(at),
    measure: () => Promise.reject(new Error('not measured')),
  };
}

function corrected(gradient: number, weight: number, at: number, objective: Objective | null): number {
  if (objective === null) return gradient;
  const { scale, pull, anchor, offset } = objective;
  const factor = typeof scale === 'number' ? scale : (scale[at] as number);
  return factor * gradient + pull * (weight - (anchor?.[at] ?? 0)) + (offset?.[at] ?? 0);
}

/** Places of the trained weights in the flat vector. */
export function trainedPlaces(layout: Layout): number[] {
  let from = 0;
  return layout.flatMap(({ shape, trainable }) => {
    const places = Array.from({ length: shapeSize(shape) }, (_, i) => from + i);
    from += places.length;
    return trainable ? places : [];
  });
}

/** Participants and a server that train in rounds: both halves of a strategy, the pipeline and the sum between them. */
export class Federation {
  readonly #strategy: Strategy;
  readonly #learners: readonly Learner[];
  readonly #how: LocalTraining;
  readonly #codec: Codec;
  readonly #proximal: number;
  readonly #examples: readonly number[];
  readonly kept: ({ strategy: StrategyState | null; pipeline: PipelineKept } | null)[];
  model: GlobalModel;
  state: StrategyState;
  #round = 0;

  constructor(
    strategy: Strategy,
    learners: readonly Learner[],
    {
      how = {},
      codec = 'float32',
      proximal = 0,
      examples = learners.map(() => 1),
    }: {
      how?: Partial<LocalTraining>;
      codec?: Codec;
      proximal?: number;
      examples?: readonly number[];
    } = {},
  ) {
    const layout = (learners[0] as Learner).layout;
    this.#strategy = strategy;
    this.#learners = learners;
    this.#how = { epochs: 1, batchSize: 1, optimizer: 'sgd', learningRate: 0.1, shuffleSeed: '', ...how };
    this.#codec = codec;
    this.#proximal = proximal;
    this.#examples = examples;
    this.kept = learners.map(() => null);
    this.model = { layout, weights: new Float32Array(layoutSize(layout)) };
    this.state = strategy.server.init(this.model);
  }

  /** A round of these participants; left out, of all. @returns the changes of the model as they arrived. */
  async round(cohort: readonly number[] = [...this.#learners.keys()]): Promise<Vectors[]> {
    this.#round++;
    const strategy = this.#strategy;
    const { layout } = this.model;
    const sections = sectionsOf([
      ...modelGroup(layout, { bound: null }),
      ...(strategy.groups?.(layout) ?? []),
    ]);
    const pipeline = pipelineOf({ clipNorm: null, uploadCodec: this.#codec });
    const sum = new ExactSum(sections);
    const arrived: Vectors[] = [];
    for (const i of cohort) {
      const kept = this.kept[i] ?? null;
      const { vectors, kept: next } = await strategy.participant.answer(
        {
          weights: this.model.weights,
          how: this.#how,
          proximal: this.#proximal,
          given: strategy.server.given?.(this.state) ?? {},
          carry: (group) => pipeline.carry(group, kept?.pipeline ?? {}),
          kept: kept?.strategy ?? null,
        },
        this.#learners[i] as Learner,
      );
      const encoded = pipeline.onParticipant(vectors, new Float32Array(0), new Map(), {
        sections,
        round: this.#round,
        seed: 1000 * this.#round + i,
      });
      finish(
        sum.add(
          finish(pipeline.onContribution(encoded.payload, sections)),
          this.#examples[i] ?? 1,
          new Map(),
        ),
      );
      this.kept[i] = { strategy: next?.(encoded.arrives) ?? null, pipeline: encoded.kept };
      arrived.push(encoded.arrives);
    }
    const { means, measures, count, weight } = finish(sum.aggregate());
    const rows = arrived.map((vectors) => ({ values: vectors.get(MODEL_GROUP) as Float32Array, weight: 1 }));
    const { combine } = strategy.server;
    const mean = combine
      ? await combine(rowsInMemory(rows), () => Promise.resolve())
      : (means.get(MODEL_GROUP) as Float64Array);
    const result = { round: this.#round, model: this.model, mean, means, measures, count, weight };
    const applied = finish(strategy.server.apply(this.state, { ...result, joined: this.#learners.length }));
    this.model = { ...this.model, weights: applied.weights };
    this.state = applied.state;
    return arrived;
  }
}
