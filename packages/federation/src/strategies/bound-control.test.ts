import { seededRandom, uniform } from '@coppice/ports';
import { describe, expect, it } from 'vitest';
import { MODEL_GROUP } from '../contributions/layout.ts';
import { finish } from '../steps.ts';
import type { StrategyState } from '../strategy.ts';
import type { PathPlan } from './bound-control.ts';
import { layoutOf, resultOf } from './federation.testing.ts';
import { CONTROL, scaffold } from './scaffold.ts';

const PARAMETERS = 40;
const layout = layoutOf({ w: PARAMETERS });
const plan: PathPlan = {
  epochs: 2,
  batchSize: 10,
  learningRate: 0.05,
  uploadCodec: 'float32',
  clipNorm: null,
};
const stepsOf = (examples: number) => 2 * Math.ceil(examples / 10);
const norm = (values: ArrayLike<number>) => Math.hypot(...Array.from(values));

/** A device's corrected gradient in a round, and the change of its variate where it lies. */
interface Sent {
  readonly gradient: readonly number[];
  readonly examples: number;
  readonly change?: (honest: readonly number[], c: Float32Array) => readonly number[];
  readonly step?: (honest: readonly number[]) => readonly number[];
}

/** A round of SCAFFOLD on the server, from what devices send. */
function played(
  state: StrategyState,
  sent: readonly Sent[],
  { of = plan, joined = sent.length, sizes = true }: { of?: PathPlan; joined?: number; sizes?: boolean } = {},
) {
  const c = state.tensors[CONTROL] as Float32Array;
  const contributions = sent.map(({ gradient, examples, change, step }) => {
    const rate = stepsOf(examples) * of.learningRate;
    const honest = gradient.map((g) => Math.fround(-g * rate));
    const steps = step?.(honest) ?? honest;
    const own = honest.map((y, i) => Math.fround(-y / rate - (c[i] as number)));
    return { examples, steps, changes: change?.(own, c) ?? own };
  });
  const weight = contributions.reduce((sum, { examples }) => sum + examples, 0);
  const mean = (part: (one: (typeof contributions)[number], i: number) => number) =>
    Float64Array.from({ length: PARAMETERS }, (_, i) =>
      contributions.reduce((sum, one) => sum + part(one, i), 0),
    );
  const result = resultOf(
    { layout, weights: new Float32Array(PARAMETERS) },
    mean(({ steps, examples }, i) => ((steps[i] as number) * examples) / weight),
    {
      means: new Map([[CONTROL, mean(({ changes }, i) => (changes[i] as number) / sent.length)]]),
      count: sent.length,
      weight,
      joined,
      ...(sizes
        ? {
            sizes: contributions.map(({ examples, steps, changes }) => ({
              weight: examples,
              norms: { [MODEL_GROUP]: norm(steps), [CONTROL]: norm(changes) },
            })),
          }
        : {}),
    },
  );
  const applied = finish(scaffold({ plan: of }).server.apply(state, result));
  // As a restart finds it.
  const { values } = JSON.parse(JSON.stringify(applied.state)) as StrategyState;
  return { ...applied, state: { values, tensors: applied.state.tensors } };
}

const first = () => scaffold().server.init({ layout, weights: new Float32Array(PARAMETERS) });
const controlOf = ({ state }: { state: StrategyState }) => state.tensors[CONTROL] as Float32Array;

function drawn(seed: string, sizes: readonly number[]): Sent[] {
  const random = seededRandom('bound-control', seed);
  const common = Array.from({ length: PARAMETERS }, () => uniform(random) - 0.5);
  return sizes.map((examples) => ({
    examples,
    gradient: common.map((value) => value + 0.5 * (uniform(random) - 0.5)),
  }));
}

describe('the server’s control variate', () => {
  it.each([
    ['of like size', [100, 100, 100, 100, 100, 100]],
    ['of sizes that differ', [40, 80, 100, 160, 300, 20]],
  ])('is the paper’s to the bit where contributions %s are honest', (_, sizes) => {
    for (const joined of [6, 20]) {
      let [bounded, paper] = [first(), first()];
      for (let round = 0; round < 20; round++) {
        const sent = drawn(`${round}`, sizes);
        const next = played(bounded, sent, { joined });
        expect(next.diagnostics).toMatchObject({ controlOff: 0 });
        bounded = next.state;
        paper = played(paper, sent, { joined, sizes: false }).state;
        expect(bounded.tensors).toEqual(paper.tensors);
      }
    }
  });

  it('does not follow one of ten that sends an honest step and an invented change', () => {
    const after = (sizes: boolean) => {
      let state = first();
      // Devices that keep their own variates, on a loss whose gradient stays.
      const losses = drawn(
        'losses',
        Array.from({ length: 10 }, () => 100),
      );
      const own = losses.map(() => Array<number>(PARAMETERS).fill(0));
      for (let round = 0; round < 30; round++) {
        const c = state.tensors[CONTROL] as Float32Array;
        const sent = losses.map((loss, i): Sent => {
          const gradient = loss.gradient.map((g, at) => g - (own[i]?.[at] ?? 0) + (c[at] as number));
          own[i] = [...loss.gradient];
          return {
            ...loss,
            gradient,
            ...(i === 0 ? { change: () => Array<number>(PARAMETERS).fill(1) } : {}),
          };
        });
        state = played(state, sent, { sizes }).state;
      }
      const mean = losses[0]?.gradient.map(
        (_, at) => losses.reduce((sum, { gradient }) => sum + (gradient[at] as number), 0) / losses.length,
      );
      return (
        norm(Array.from(controlOf({ state }), (value, at) => value - (mean?.[at] ?? 0))) / norm(mean ?? [])
      );
    };
    expect(after(false)).toBeGreaterThan(5);
    expect(after(true)).toBeLessThan(0.6);
  });

  it('does not follow one of ten that sends an invented step and an honest change', () => {
    const [liar, ...others] = drawn(
      'step',
      Array.from({ length: 10 }, () => 100),
    ) as [Sent, ...Sent[]];
    const honest = played(first(), [liar, ...others]);
    const sent = [{ ...liar, step: (own: readonly number[]) => own.map((y) => 40 * y) }, ...others];
    expect(controlOf(played(first(), sent))).toEqual(controlOf(honest));
  });

  it('is no longer than twice the longest median of changes where they do not follow from steps', () => {
    const sizes = Array.from({ length: 10 }, () => 100);
    const of: PathPlan = { ...plan, uploadCodec: 'int8' };
    let state = first();
    let longest = 0;
    for (let round = 0; round < 30; round++) {
      const sent = drawn(`${round}`, sizes).map((one, i) =>
        i === 0 ? { ...one, change: () => Array<number>(PARAMETERS).fill(1) } : one,
      );
      const c = state.tensors[CONTROL] as Float32Array;
      const own = sent.slice(1).map(({ gradient }) => norm(gradient.map((g, i) => g - (c[i] as number))));
      longest = Math.max(longest, ...own);
      state = played(state, sent, { of }).state;
      expect(norm(controlOf({ state }))).toBeLessThanOrEqual(2 * longest);
    }
  });
});
