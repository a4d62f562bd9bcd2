import { finish } from '@coppice/federation';
import { type Answer, defaultPlan, type Layout, type Plan } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { scaffold } from '../../../federation/src/strategies/scaffold.ts';
import { runForms } from './run-forms.ts';
import { type AnswerParts, layout, task, trainFrame } from './run-world.ts';

const plan: Plan = { ...defaultPlan, maxExamples: 100, maxNorm: 10 };
const forms = runForms(layout, task, plan);

function answer(weight: number, parts: AnswerParts = {}, of = forms): Answer {
  const frame = trainFrame(of.layouts.train, [new Float32Array([1, 2, 3])], { weight, ...parts });
  return { run: 'toy-1', ticket: 't1-1.x', weight, milliseconds: 1, frame };
}

describe('the answers of a run', () => {
  it('hold a change of the model, and what was measured', () => {
    const { vectors, measures } = finish(forms.train.read(answer(5)));
    expect([...vectors.keys()]).toEqual(['model']);
    expect(measures.get('train/examples')).toEqual(Float64Array.of(5));
    expect(measures.get('held/class-examples')).toEqual(Float64Array.of(4, 0));
  });

  it.each<[string, number, AnswerParts, string]>([
    ['weigh more than was trained on', 6, { trained: 5 }, 'update-measure'],
    ['weigh less', 4, { trained: 5 }, 'update-measure'],
    ['were trained on more than the plan lets', 101, {}, 'update-examples'],
    ['lost less than nothing', 5, { loss: -1 }, 'update-measure'],
    ['lost more than any model does', 5, { loss: 1025 }, 'update-measure'],
    ['hit more than was there', 5, { evaluation: { loss: 1, accuracy: 2, examples: 4 } }, 'update-measure'],
    [
      'measured parts of examples',
      5,
      { evaluation: { loss: 1, accuracy: 1, examples: 2.5 } },
      'update-measure',
    ],
    ['are not numbers', 5, { loss: Number.NaN }, 'update-not-finite'],
  ])('are refused that %s', (_, weight, parts, code) => {
    expect(() => finish(forms.train.read(answer(weight, parts)))).toThrow(expect.objectContaining({ code }));
  });

  it('may leave their loss out, or measure nothing', () => {
    finish(forms.train.read(answer(5, { loss: null, evaluation: null })));
  });

  it('are told apart by their layouts: another run’s, another kind’s', () => {
    const other = runForms([{ name: 'v', shape: [3], trainable: true }], task, plan);
    for (const [reader, of] of [
      [forms.train, other],
      [other.train, forms],
      [runForms(layout, task, { ...plan, evaluationShare: 0 }).train, forms],
    ] as const)
      expect(() => finish(reader.read(answer(5, {}, of)))).toThrow(
        expect.objectContaining({ code: 'update-shape' }),
      );
    expect(() => finish(forms.evaluate.read(answer(5)))).toThrow(
      expect.objectContaining({ code: 'update-shape' }),
    );
  });

  it('are read whatever their length, also one that is a header’s', () => {
    for (let classes = 2; classes < 9; classes++) {
      const names = Array.from({ length: classes }, (_, at) => `class ${at}`);
      const of = {
        ...task,
        data: { ...task.data, target: { kind: 'class', name: 'y', classes: names } },
      } as typeof task;
      for (let length = 1; length < 12; length++) {
        const model: Layout = [{ name: 'w', shape: [length], trainable: true }];
        const { layouts, train } = runForms(model, of, { ...plan, evaluationShare: 0 });
        const frame = trainFrame(layouts.train, [new Float32Array(length)], { weight: 5 });
        finish(train.read({ run: 'toy-1', ticket: 't1-1.x', weight: 5, milliseconds: 1, frame }));
      }
    }
  });
});

describe('the limits of a run', () => {
  const groups = (model: Layout, change: Partial<Plan> = {}) =>
    runForms(model, task, { ...plan, ...change }, scaffold({ controlNorm: 4 }));

  it('bound each group as the plan and the strategy say', () => {
    const limits = groups(layout).limits(null);
    expect([...limits].map(([group, { bound, counted }]) => [group, bound, counted])).toEqual([
      ['model', { trainable: 10, nonTrainable: 10 }, undefined],
      ['control', { trainable: 4, nonTrainable: 4 }, undefined],
    ]);
  });

  it('count what is longer than the round’s bound as if it were as long', () => {
    const limits = groups(layout).limits({ model: 2 });
    expect(limits.get('model')?.counted?.trainable).toBe(2);
    expect(limits.get('control')?.counted).toBeUndefined();
    expect(limits.get('model')?.bound.trainable).toBe(10);
  });

  it('are none where the plan has none', () => {
    const bound = groups(layout, { maxNorm: null }).limits(null).get('model')?.bound;
    expect(bound).toEqual({ trainable: Number.POSITIVE_INFINITY, nonTrainable: Number.POSITIVE_INFINITY });
  });
});
