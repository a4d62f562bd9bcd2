import type { Layout } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { finish, giveUp, STEP_PARAMETERS, type Steps, undo } from './steps.ts';
import { fedavg } from './strategies/fedavg.ts';
import { ExactAccumulator } from './sums/accumulator.ts';

const LENGTH = 2 * STEP_PARAMETERS + 12_345;
const wave = (of: number) => Float32Array.from({ length: LENGTH }, (_, i) => Math.sin(i * of) * 1e-2);

/** The result, and how often others could have had their turn. */
function counted<T>(steps: Steps<T>): { value: T; pauses: number } {
  for (let pauses = 0; ; pauses++) {
    const { done, value } = steps.next();
    if (done === true) return { value, pauses };
  }
}

describe('work in steps', () => {
  const sum = new ExactAccumulator(LENGTH);
  const updates = [wave(0.1), wave(0.7), wave(1.3)];
  // Weighted so that the sum leaves what one float64 holds, too.
  for (const [i, values] of updates.entries()) sum.add(values, i + 1);
  const mean = counted(sum.meanInSteps());

  it('takes the mean of a large model a piece at a time', () => {
    expect(mean.pauses).toBe(2);
    expect(mean.value).toEqual(sum.mean());
    // The definition, in the precision of one float64 (see accumulator.test.ts for the bits).
    for (const i of [0, 1, STEP_PARAMETERS - 1, STEP_PARAMETERS, LENGTH - 1]) {
      const expected = updates.reduce((total, values, k) => total + (k + 1) * (values[i] as number), 0) / 6;
      expect(mean.value[i]).toBeCloseTo(expected, 10);
    }
  });

  it('takes the mean of carried sums, too', () => {
    const large = new ExactAccumulator(LENGTH);
    for (let i = 0; i < 3; i++) large.add(wave(0.3).fill(5000, 7, 9), 1_000_000);
    expect(counted(large.meanInSteps()).value).toEqual(large.mean());
    expect(large.mean()[8]).toBe(5000);
  });

  it('moves a large model a piece at a time, whatever its tensors, and to the same bits', () => {
    const tensors = [3, STEP_PARAMETERS + 5, 1, 1000, LENGTH - STEP_PARAMETERS - 1009];
    const layout: Layout = tensors.map((size, i) => ({
      name: `t${i}`,
      shape: [size],
      trainable: i % 2 === 0,
    }));
    const model = { layout, weights: wave(2.1) };
    const { server } = fedavg({ serverLearningRate: 0.5 });
    const none = { means: new Map(), measures: new Map() };
    const round = { round: 1, model, mean: mean.value, ...none, count: 3, weight: 6, joined: 3 };
    const steps = counted(server.apply(server.init(model), round));
    expect(steps.pauses).toBe(2);
    let at = 0;
    let squares = 0;
    for (const [t, size] of tensors.entries())
      for (const end = at + size; at < end; at++) {
        const step = (t % 2 === 0 ? 0.5 : 1) * (mean.value[at] as number);
        squares += step * step;
        if (steps.value.weights[at] !== Math.fround((model.weights[at] as number) + step))
          expect.unreachable(`parameter ${at} differs`);
      }
    expect(steps.value.diagnostics['stepNorm']).toBeCloseTo(Math.sqrt(squares), 6);
  });

  it('does not pause for a small model', () => {
    const small = new ExactAccumulator(2);
    small.add(new Float32Array([1, 2]), 1);
    expect(counted(small.meanInSteps()).pauses).toBe(0);
  });

  it('can be done at once', () => {
    function* three(): Steps<string> {
      yield;
      yield;
      return 'done';
    }
    expect(finish(three())).toBe('done');
  });
});

describe('work that is given up', () => {
  /** Two generators, one inside the other, that each undo what they did, in pieces. */
  function nested() {
    const done: string[] = [];
    function* work(name: string, inner: () => Steps<void>): Steps<void> {
      done.push(name);
      try {
        yield;
        yield* inner();
        done.push(`${name} whole`);
      } finally {
        yield* undo(undone(name));
      }
    }
    function* undone(name: string): Steps<void> {
      yield;
      done.push(`${name} over`);
    }
    const steps = work('outer', () =>
      work('inner', function* () {
        yield;
      }),
    );
    return { done, steps };
  }

  it.each([1, 2, 3])('after %i pieces is undone, in pieces, and nothing of it goes on', (pieces) => {
    const { done, steps } = nested();
    for (let i = 0; i < pieces; i++) steps.next();
    const { pauses } = counted(giveUp(steps));
    const under = pieces === 1 ? ['outer'] : ['outer', 'inner'];
    expect(done).toEqual([...under, ...under.toReversed().map((name) => `${name} over`)]);
    expect(pauses).toBe(under.length);
    expect(steps.next().done).toBe(true);
  });

  it('while it is undone, is undone to its end', () => {
    const { done, steps } = nested();
    for (let i = 0; i < 3; i++) steps.next();
    const first = giveUp(steps);
    first.next();
    expect(counted(giveUp(steps)).pauses).toBe(1);
    expect(done).toEqual(['outer', 'inner', 'inner over', 'outer over']);
  });

  it('that never began is over at once, and a fault in what undoes it is told', () => {
    const { done, steps } = nested();
    expect(counted(giveUp(steps)).pauses).toBe(0);
    expect(done).toEqual([]);
    function* broken(): Steps<void> {
      try {
        yield;
      } finally {
        yield* failing();
      }
    }
    // biome-ignore lint/correctness/useYield: it fails before it could.
    function* failing(): Steps<void> {
      throw new RangeError('a fault');
    }
    const work = broken();
    work.next();
    expect(() => finish(giveUp(work))).toThrow(RangeError);
  });
});
