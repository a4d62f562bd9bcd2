import { seededRandom, uniform } from '@coppice/ports';
import { planDescription } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { finish, STEP_PARAMETERS } from '../steps.ts';
import type { GlobalModel, RoundResult, Strategy, StrategyState } from '../strategy.ts';
import { fedavg } from './fedavg.ts';
import { layoutOf, resultOf, trainedPlaces } from './federation.testing.ts';
import { fedadam, fedyogi } from './fedopt.ts';
import { median } from './median.ts';
import { CONTROL, scaffold } from './scaffold.ts';

const adaptive = { serverLearningRate: 0.5, serverBeta1: 0.9, serverBeta2: 0.99, serverTau: 1e-3 };
const strategies: readonly Strategy[] = [
  fedavg({ serverLearningRate: 0.5 }),
  fedadam(adaptive),
  fedyogi(adaptive),
  median({ serverLearningRate: 0.5 }),
  scaffold({ serverLearningRate: 0.5 }),
];

/** A round of random changes, with the mean change of control variates that SCAFFOLD needs. */
function drawn(model: GlobalModel, n: number): RoundResult {
  const random = seededRandom('round', n);
  const numbers = (length: number) => Float64Array.from({ length }, () => uniform(random) - 0.5);
  return resultOf(model, numbers(model.weights.length), {
    round: n,
    means: new Map([[CONTROL, numbers(trainedPlaces(model.layout).length)]]),
    count: 3,
    joined: 5,
  });
}

/** The state as storage has it: values as JSON, tensors as bytes. */
function stored(state: StrategyState): StrategyState {
  const tensors = Object.entries(state.tensors).map(([name, { buffer, byteOffset, byteLength }]) => {
    const bytes = new Uint8Array(buffer, byteOffset, byteLength).slice();
    return [name, new Float32Array(bytes.buffer)] as const;
  });
  return { values: JSON.parse(JSON.stringify(state.values)), tensors: Object.fromEntries(tensors) };
}

function frozen(state: StrategyState): string {
  return JSON.stringify([state.values, Object.entries(state.tensors).map(([name, all]) => [name, ...all])]);
}

describe.each(strategies.map((strategy) => [strategy.name, strategy] as const))('%s', (_, strategy) => {
  const { server } = strategy;
  const layout = layoutOf({ kernel: 3, mean: 2, bias: 2, mean_square: 1 });
  const model = { layout, weights: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8) };

  it('sends as many vectors beside the model as plans, consent labels and estimates say', () => {
    const groups = new Set(strategy.groups?.(layout).map(({ group }) => group));
    const given = Object.keys(server.given?.(server.init(model)) ?? {});
    const stated = planDescription.vectorsOf(strategy.name);
    expect([groups.size, given.length]).toEqual([stated, stated]);
  });

  it('moves running statistics by their plain mean, round after round', () => {
    let state = server.init(model);
    let now: GlobalModel = model;
    for (let n = 1; n <= 3; n++) {
      const round = drawn(now, n);
      const { weights, state: next } = finish(server.apply(state, round));
      for (const at of [3, 4, 7])
        expect(weights[at]).toBe(Math.fround((now.weights[at] as number) + (round.mean[at] as number)));
      for (const at of [0, 1, 2, 5, 6]) expect(weights[at]).not.toBe(now.weights[at]);
      [now, state] = [{ layout, weights }, next];
    }
  });

  it('goes on from a stored state to the same bits', () => {
    let [state, restored] = [server.init(model), stored(server.init(model))];
    let [now, again]: GlobalModel[] = [model, model];
    for (let n = 1; n <= 4; n++) {
      const one = finish(server.apply(state, drawn(now as GlobalModel, n)));
      const other = finish(server.apply(restored, drawn(again as GlobalModel, n)));
      expect(other.weights).toEqual(one.weights);
      expect(frozen(other.state)).toBe(frozen(one.state));
      [now, state] = [{ layout, weights: one.weights }, one.state];
      [again, restored] = [{ layout, weights: other.weights }, stored(other.state)];
    }
  });

  it('changes nothing that it is given', () => {
    const first = finish(server.apply(server.init(model), drawn(model, 1)));
    const round = drawn({ layout, weights: first.weights }, 2);
    const before = [
      frozen(first.state),
      [...round.model.weights],
      [...round.mean],
      [...(round.means.get(CONTROL) ?? [])],
    ];
    finish(server.apply(first.state, round));
    const after = [
      frozen(first.state),
      [...round.model.weights],
      [...round.mean],
      [...(round.means.get(CONTROL) ?? [])],
    ];
    expect(after).toEqual(before);
  });

  it('takes a large model a piece at a time, and to the same weights as its parts', () => {
    const [head, rest] = [1000, STEP_PARAMETERS + 500];
    const large = layoutOf({ first: head, mean: 10, second: rest });
    const weights = new Float32Array(head + 10 + rest).fill(1);
    const round = drawn({ layout: large, weights }, 1);
    const steps = server.apply(server.init(round.model), round);
    let turns = 0;
    for (;;) {
      const { done, value } = steps.next();
      if (done === true) {
        expect(turns).toBeGreaterThan(0);
        // The second tensor as a model of its own.
        const part = { layout: layoutOf({ second: rest }), weights: weights.slice(head + 10) };
        const alone = finish(
          server.apply(server.init(part), {
            ...round,
            model: part,
            mean: round.mean.slice(head + 10),
            means: new Map([[CONTROL, (round.means.get(CONTROL) as Float64Array).slice(head)]]),
          }),
        );
        expect(value.weights.subarray(head + 10)).toEqual(alone.weights);
        return;
      }
      turns++;
    }
  });
});
