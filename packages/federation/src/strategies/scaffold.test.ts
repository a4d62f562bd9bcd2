import { integerBelow, seededRandom, shuffle, uniform } from '@coppice/ports';
import type { Codec } from '@coppice/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MODEL_GROUP } from '../contributions/layout.ts';
import { fedavg } from './fedavg.ts';
import {
  Federation,
  layoutOf,
  type Quadratic,
  quadraticLearner,
  trainedPlaces,
} from './federation.testing.ts';
import { CONTROL, scaffold } from './scaffold.ts';

/** Quadratics that agree neither on curvature nor on the optimum. */
function drawn(participants: number, size: number, seed: number | string): Quadratic[] {
  const random = seededRandom('quadratics', seed);
  return Array.from({ length: participants }, () => ({
    a: Array.from({ length: size }, () => 0.5 + 4 * uniform(random)),
    b: Array.from({ length: size }, () => 6 * uniform(random) - 3),
  }));
}

const mixed = layoutOf({ kernel: 3, mean: 2, bias: 2 });
const how = { epochs: 5, learningRate: 0.05 };
const controlOf = (federation: Federation, i: number) => federation.kept[i]?.strategy?.tensors[CONTROL];

/** The largest number of the participants' variates. */
function largestOwn(federation: Federation, participants: number): number {
  const all = Array.from({ length: participants }, (_, i) => controlOf(federation, i) ?? []);
  return Math.max(...all.flatMap((own) => Array.from(own, Math.abs)));
}

/** The largest |c − Σ cᵢ / N| over the weights. */
function offTheMean(federation: Federation, participants: number): number {
  const c = federation.state.tensors[CONTROL] as Float32Array;
  return Math.max(
    ...Array.from(c, (value, at) => {
      let sum = 0;
      for (let i = 0; i < participants; i++) sum += controlOf(federation, i)?.[at] ?? 0;
      return Math.abs(value - sum / participants);
    }),
  );
}

describe.each(['gradient', 'steps'] as const)('control variates by %s', (controlVariate) => {
  it.each(['float32', 'float16', 'int8', 'top10'] as Codec[])(
    'the server’s variate stays the mean of the participants’, as %s brings them',
    async (codec) => {
      const problems = drawn(4, 40, codec);
      const layout = layoutOf({ kernel: 25, mean: 3, bias: 15 });
      const federation = new Federation(
        scaffold({ controlVariate }),
        problems.map((problem) => quadraticLearner(layout, problem)),
        { how, codec, examples: [1, 20, 300, 4000] },
      );
      for (let round = 0; round < 25; round++) {
        await federation.round();
        // Each of them was rounded to float32, round after round.
        expect(offTheMean(federation, 4)).toBeLessThan(3e-6 * largestOwn(federation, 4));
      }
      expect(largestOwn(federation, 4)).toBeGreaterThan(1);
    },
  );

  it('the mean is over all that joined, of whom a part answers', async () => {
    const problems = drawn(6, 5, 'part');
    const federation = new Federation(
      scaffold({ controlVariate }),
      problems.map((problem) => quadraticLearner(mixed, problem)),
      { how },
    );
    const random = seededRandom('cohorts');
    for (let round = 0; round < 25; round++) {
      const cohort = shuffle([0, 1, 2, 3, 4], random).slice(0, 1 + integerBelow(random, 4));
      await federation.round(cohort);
      expect(offTheMean(federation, 6)).toBeLessThan(1e-5);
    }
    expect(federation.kept[5]).toBeNull();
  });

  it('takes FedAvg’s first step, to the bit, while all variates are 0', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.integer({ min: 1, max: 4 }), async (seed, participants) => {
        const learners = drawn(participants, 5, seed).map((problem) => quadraticLearner(mixed, problem));
        const [corrected, plain] = [scaffold({ controlVariate }), fedavg()].map(
          (strategy) => new Federation(strategy, learners, { how }),
        ) as [Federation, Federation];
        await corrected.round();
        await plain.round();
        expect(corrected.model.weights).toEqual(plain.model.weights);
      }),
      { numRuns: 20 },
    );
  });

  it('is not disturbed by tensors that are not trained, in between', async () => {
    const problems = drawn(3, 5, 'between');
    const whole = layoutOf({ all: 5 });
    const [among, alone] = [mixed, whole].map(
      (layout) =>
        new Federation(
          scaffold({ controlVariate }),
          problems.map((problem) => quadraticLearner(layout, problem)),
          { how },
        ),
    ) as [Federation, Federation];
    const places = trainedPlaces(mixed);
    for (let round = 0; round < 5; round++) {
      const arrived = await among.round();
      await alone.round();
      expect(arrived.map((vectors) => vectors.get(CONTROL)?.length)).toEqual([5, 5, 5]);
      expect(places.map((at) => among.model.weights[at])).toEqual([...alone.model.weights]);
      expect(places.map((at) => among.state.tensors[CONTROL]?.[at])).toEqual([
        ...(alone.state.tensors[CONTROL] as Float32Array),
      ]);
      // Running statistics are averaged, and have no variate.
      expect([...among.model.weights.subarray(3, 5)]).toEqual([5, 5]);
      expect([...(among.state.tensors[CONTROL] as Float32Array).subarray(3, 5)]).toEqual([0, 0]);
    }
  });

  it('reaches the joint optimum with many local steps, where FedAvg does not', async () => {
    const problems = drawn(3, 5, 'optimum');
    const learners = problems.map((problem) => quadraticLearner(mixed, problem));
    const off = async (strategy: ReturnType<typeof scaffold>) => {
      const federation = new Federation(strategy, learners, { how: { epochs: 20, learningRate: 0.02 } });
      for (let round = 0; round < 200; round++) await federation.round();
      return Math.max(
        ...trainedPlaces(mixed).map((at, i) => {
          const sum = (of: (problem: Quadratic) => number) =>
            problems.reduce((total, problem) => total + of(problem), 0);
          const optimum =
            sum(({ a, b }) => (a[i] as number) * (b[i] as number)) / sum(({ a }) => a[i] as number);
          return Math.abs((federation.model.weights[at] as number) - optimum);
        }),
      );
    };
    expect(await off(fedavg())).toBeGreaterThan(0.1);
    expect(await off(scaffold({ controlVariate }))).toBeLessThan(1e-3);
  });
});

describe('a participant', () => {
  const layout = layoutOf({ w: 1 });
  const learner = quadraticLearner(layout, { a: [2], b: [3] });
  const asked = {
    weights: Float32Array.of(1),
    how: { epochs: 1, batchSize: 1, optimizer: 'sgd', learningRate: 0.1, shuffleSeed: '' },
    proximal: 0,
    given: { [CONTROL]: Float32Array.of(0.5) },
    carry: () => null,
    kept: { values: {}, tensors: { [CONTROL]: Float32Array.of(0.25) } },
  } as const;

  it('steps by g − cᵢ + c, and tells cᵢ⁺ − cᵢ', async () => {
    // g = 2 (1 − 3) = −4, so y = 1 − 0.1 (−4 − 0.25 + 0.5) = 1.375, and cᵢ⁺ = g with either option after one step.
    for (const controlVariate of ['gradient', 'steps'] as const) {
      const { vectors } = await scaffold({ controlVariate }).participant.answer(asked, learner);
      expect(vectors.get(MODEL_GROUP)?.[0]).toBeCloseTo(0.375, 6);
      expect(vectors.get(CONTROL)?.[0]).toBeCloseTo(-4.25, 5);
    }
  });

  it('keeps its variate by what arrives, not by what it sent', async () => {
    const { kept } = await scaffold().participant.answer(asked, learner);
    const next = kept?.(new Map([[CONTROL, Float32Array.of(-4)]]));
    expect(next?.tensors[CONTROL]).toEqual(Float32Array.of(-3.75));
  });

  it('adds what the codec left out of its variate before, rounded once with it', async () => {
    const number = fc.float({ min: -8, max: 8, noNaN: true });
    await fc.assert(
      fc.asyncProperty(number, number, number, async (c, own, left) => {
        const question = {
          ...asked,
          given: { [CONTROL]: Float32Array.of(c) },
          kept: { values: {}, tensors: { [CONTROL]: Float32Array.of(own) } },
          carry: (group: string) => (group === CONTROL ? Float32Array.of(left) : null),
        };
        const byPath = await scaffold().participant.answer(question, learner);
        const path = (1 - (byPath.trained.weights[0] as number)) / 0.1;
        expect(byPath.vectors.get(CONTROL)?.[0]).toBe(Math.fround(path - c + left));
        const byGradient = await scaffold({ controlVariate: 'gradient' }).participant.answer(
          question,
          learner,
        );
        expect(byGradient.vectors.get(CONTROL)?.[0]).toBe(Math.fround(-4 - own + left));
      }),
    );
  });

  it('pulls toward the given weights where the plan says so', async () => {
    const pulled = await scaffold().participant.answer(
      { ...asked, proximal: 10, how: { ...asked.how, epochs: 2 } },
      learner,
    );
    const free = await scaffold().participant.answer({ ...asked, how: { ...asked.how, epochs: 2 } }, learner);
    expect(Math.abs(pulled.vectors.get(MODEL_GROUP)?.[0] ?? 9)).toBeLessThan(
      Math.abs(free.vectors.get(MODEL_GROUP)?.[0] ?? 0),
    );
  });
});
