import { readFileSync } from 'node:fs';
import { layoutSize } from '@coppice/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { finish } from '../steps.ts';
import type { Strategy } from '../strategy.ts';
import { fedavg } from './fedavg.ts';
import { layoutOf, resultOf } from './federation.testing.ts';
import { fedadam, fedyogi } from './fedopt.ts';

const strategies = { fedadam, fedyogi };
const rules = Object.keys(strategies) as (keyof typeof strategies)[];
const changes = fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 1, maxLength: 8 });
const options = fc.record({
  serverLearningRate: fc.double({ min: 0.01, max: 2, noNaN: true }),
  serverBeta1: fc.double({ min: 0, max: 0.99, noNaN: true }),
  serverBeta2: fc.double({ min: 0, max: 0.999, noNaN: true }),
  serverTau: fc.double({ min: 0.01, max: 1, noNaN: true }),
});

/** One weight through rounds of these changes: the weights, and the state after the last. */
function played(strategy: Strategy, all: readonly number[], start = 0) {
  const layout = layoutOf({ w: 1 });
  let weights = Float32Array.of(start);
  let state = strategy.server.init({ layout, weights });
  for (const change of all)
    ({ weights, state } = finish(strategy.server.apply(state, resultOf({ layout, weights }, [change]))) as {
      weights: Float32Array<ArrayBuffer>;
      state: typeof state;
    });
  return {
    weight: weights[0] as number,
    m: state.tensors.m?.[0] as number,
    v: state.tensors.v?.[0] as number,
  };
}

/** Flower's and the paper's numbers over four rounds; see the file. */
const published = (
  JSON.parse(readFileSync(new URL('../fixtures/federation.json', import.meta.url), 'utf8')) as {
    cases: {
      id: string;
      operation: string;
      params: Record<string, number>;
      inputs: { current: unknown; rounds: { clients: { arrays: unknown; num_examples: number }[] }[] };
      expected: {
        weights_after_each_round: unknown[];
        state_after_each_round?: { m: unknown; v: unknown }[];
      };
    }[];
  }
).cases.filter(({ operation }) => operation === 'fedadam_paper' || operation === 'fedyogi');
const flat = (value: unknown): number[] => (Array.isArray(value) ? value.flatMap(flat) : [value as number]);

it('there are published cases of both', () => {
  expect(published.map(({ operation }) => operation).sort()).toEqual(['fedadam_paper', 'fedyogi']);
});

describe.each(published)('$id', ({ operation, params, inputs, expected }) => {
  it('is met after every round, moments included', () => {
    const { eta, beta_1, beta_2, tau } = params as {
      eta: number;
      beta_1: number;
      beta_2: number;
      tau: number;
    };
    const { server } = (operation === 'fedyogi' ? fedyogi : fedadam)({
      serverLearningRate: eta,
      serverBeta1: beta_1,
      serverBeta2: beta_2,
      serverTau: tau,
      initial: 0,
    });
    let weights = Float32Array.from(flat(inputs.current));
    const layout = layoutOf({ w: weights.length });
    let state = server.init({ layout, weights });
    for (const [i, { clients }] of inputs.rounds.entries()) {
      const examples = clients.reduce((sum, client) => sum + client.num_examples, 0);
      const mean = Array.from(weights, (weight, at) =>
        clients.reduce(
          (sum, client) =>
            sum + (client.num_examples / examples) * ((flat(client.arrays)[at] as number) - weight),
          0,
        ),
      );
      const applied = finish(server.apply(state, resultOf({ layout, weights }, mean)));
      [weights, state] = [applied.weights as Float32Array<ArrayBuffer>, applied.state];
      const close = (actual: Float32Array | undefined, wanted: readonly number[]) => {
        for (const [at, value] of wanted.entries())
          expect(Math.abs((actual?.[at] ?? Number.NaN) - value)).toBeLessThan(1e-6 + 1e-5 * Math.abs(value));
      };
      close(weights, flat(expected.weights_after_each_round[i]));
      const moments = expected.state_after_each_round?.[i];
      if (moments !== undefined) {
        close(state.tensors.m, flat(moments.m));
        close(state.tensors.v, flat(moments.v));
      }
    }
  });
});

describe('the moments', () => {
  it('of both are Σ (1 − β₁) β₁ᵗ⁻ˢ Δₛ, and the second of FedAdam likewise, from τ² on', () => {
    fc.assert(
      fc.property(options, changes, (given, all) => {
        const { serverBeta1: beta1, serverBeta2: beta2, serverTau: tau } = given;
        const t = all.length;
        const m = all.reduce((sum, change, s) => sum + (1 - beta1) * beta1 ** (t - 1 - s) * change, 0);
        const v =
          beta2 ** t * tau ** 2 +
          all.reduce((sum, change, s) => sum + (1 - beta2) * beta2 ** (t - 1 - s) * change ** 2, 0);
        const adam = played(fedadam(given), all);
        expect(Math.abs(adam.m - m)).toBeLessThan(1e-6);
        expect(Math.abs(adam.v - v)).toBeLessThan(4e-6);
        expect(Math.abs(played(fedyogi(given), all).m - m)).toBeLessThan(1e-6);
      }),
    );
  });

  it('of FedYogi draw near Δ² by at most (1 − β₂) Δ², and never below 0', () => {
    fc.assert(
      fc.property(options, changes, (given, all) => {
        let v = Math.fround(given.serverTau ** 2);
        for (const change of all) {
          const square = change * change;
          if (v < square) v += (1 - given.serverBeta2) * square;
          else if (v > square) v -= (1 - given.serverBeta2) * square;
          v = Math.fround(v);
        }
        const told = played(fedyogi(given), all).v;
        expect(told).toBeGreaterThanOrEqual(0);
        expect(told).toBe(v);
      }),
    );
  });
});

describe.each(rules)('%s', (rule) => {
  it('is FedAvg with the rate η / τ where τ is large beside the changes', () => {
    fc.assert(
      fc.property(changes, fc.double({ min: 0.1, max: 2, noNaN: true }), (all, rate) => {
        const tau = 2 ** 30;
        const adaptive = strategies[rule]({
          serverLearningRate: rate * tau,
          serverBeta1: 0,
          serverBeta2: 0,
          serverTau: tau,
          initial: 0,
        });
        const plain = played(fedavg({ serverLearningRate: rate }), all, 0.5);
        expect(Math.abs(played(adaptive, all, 0.5).weight - plain.weight)).toBeLessThan(1e-4);
      }),
    );
  });

  it('takes steps of η Δ / (|Δ| + τ) without memory', () => {
    fc.assert(
      fc.property(changes, (all) => {
        const given = { serverLearningRate: 0.1, serverBeta1: 0, serverBeta2: 0, serverTau: 0.01 };
        const last = all.at(-1) as number;
        const before = played(strategies[rule](given), all.slice(0, -1)).weight;
        // Yogi without memory adds Δ² to what was below it: only the first step is the same.
        if (rule === 'fedyogi' && all.length > 1) return;
        const wanted =
          rule === 'fedyogi'
            ? (0.1 * last) / (Math.sqrt(yogi(0.01 ** 2, last ** 2)) + 0.01)
            : (0.1 * last) / (Math.abs(last) + 0.01);
        expect(played(strategies[rule](given), all).weight - before).toBeCloseTo(wanted, 5);
      }),
    );
  });

  it('is the same for each weight by itself', () => {
    fc.assert(
      fc.property(options, fc.array(changes, { minLength: 2, maxLength: 3 }), (given, columns) => {
        const rounds = Math.min(...columns.map(({ length }) => length));
        const layout = layoutOf({ w: columns.length });
        const { server } = strategies[rule](given);
        let weights = new Float32Array(layoutSize(layout));
        let state = server.init({ layout, weights });
        for (let i = 0; i < rounds; i++) {
          const mean = columns.map((column) => column[i] as number);
          const applied = finish(server.apply(state, resultOf({ layout, weights }, mean)));
          [weights, state] = [applied.weights as Float32Array<ArrayBuffer>, applied.state];
        }
        expect([...weights]).toEqual(
          columns.map((column) => played(strategies[rule](given), column.slice(0, rounds)).weight),
        );
      }),
    );
  });
});

function yogi(v: number, square: number): number {
  if (v === square) return v;
  return v < square ? v + square : v - square;
}
