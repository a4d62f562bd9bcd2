import { type Codec, codecs, defaultPlan, sectionsOf, type TensorSpec } from '@coppice/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toFloat32 } from '../codecs/values.ts';
import { norm } from '../metrics.ts';
import { finish } from '../steps.ts';
import { ExactSum } from '../sums/exact.ts';
import { clip } from './clip.ts';
import { compress } from './compress.ts';
import { pipelineOf } from './index.ts';
import { layoutBounds, type NormBound } from './norm-bound.ts';
import { type NumbersStep, pipeline } from './pipeline.ts';

const tensor = (name: string, shape: number[], role: TensorSpec['role'], group = 'model'): TensorSpec => ({
  name,
  shape,
  role,
  group,
  unit: role === 'measure' ? 1 : 2 ** -36,
  bound: null,
  weighted: role === 'measure' ? 'one' : 'weight',
  precision: 'single',
});
const layout = [
  tensor('a', [17], 'step'),
  tensor('mean', [2], 'average'),
  tensor('b', [21], 'step'),
  tensor('examples', [], 'measure', 'measures'),
];
const sections = sectionsOf(layout);
const at = { sections, round: 1, seed: 1 };
const measures = Float32Array.of(12);
const none = new Map<string, NormBound>();
const model = (values: Float32Array) => new Map([['model', values]]);
const steps = (values: Float32Array) =>
  Float32Array.from([...values.subarray(0, 17), ...values.subarray(19)]);
const forty = fc
  .array(fc.float({ min: -1000, max: 1000, noNaN: true }), { minLength: 40, maxLength: 40 })
  .map((numbers) => Float32Array.from(numbers));

const shift = (by: number): NumbersStep => ({
  name: `shift ${by}`,
  takes: 'numbers',
  gives: 'numbers',
  onParticipant: (vectors) => new Map([...vectors].map(([group, all]) => [group, all.map((x) => x + by)])),
});
const double: NumbersStep = {
  name: 'double',
  takes: 'numbers',
  gives: 'numbers',
  onParticipant: (vectors) => new Map([...vectors].map(([group, all]) => [group, all.map((x) => x * 2)])),
};

describe('a pipeline', () => {
  it('takes its steps in order', () => {
    const { payload } = pipeline([shift(1), double, compress('float32')]).onParticipant(
      model(new Float32Array(40).fill(3)),
      measures,
      none,
      at,
    );
    expect(new Float32Array(payload.slice(0, 8).buffer)).toEqual(Float32Array.of(8, 8));
  });

  it('refuses an order that cannot be right, and says which is', () => {
    const refused = expect.objectContaining({
      code: 'plan-invalid',
      message: expect.stringContaining('clip → compress'),
    });
    expect(() => pipeline([compress('int8'), clip('model', 1)])).toThrow(refused);
    expect(() => pipeline([clip('model', 1)])).toThrow(expect.objectContaining({ code: 'plan-invalid' }));
  });

  it.each(Object.keys(codecs) as Codec[])(
    'reads in a %s payload what it said arrives, and the measures',
    (codec) => {
      fc.assert(
        fc.property(forty, (values) => {
          const line = pipelineOf({ ...defaultPlan, uploadCodec: codec });
          const { payload, arrives } = line.onParticipant(model(values), measures, none, at);
          const read = finish(line.onContribution(payload, sections));
          expect(toFloat32(read.vectors.get('model') as never)).toEqual(arrives.get('model'));
          expect(read.measures.get('examples')?.[0]).toBe(12);
        }),
      );
    },
  );

  it('gives back what a codec left out, by group, for the next contribution', () => {
    const line = pipelineOf({ ...defaultPlan, uploadCodec: 'top10' });
    const values = Float32Array.from({ length: 40 }, (_, i) => i + 1);
    const { arrives, kept } = line.onParticipant(model(values), measures, none, at);
    const carried = line.carry('model', kept) as Float32Array;
    const came = arrives.get('model') as Float32Array;
    for (let i = 0; i < 40; i++) expect((came[i] as number) + (carried[i] as number)).toBe(values[i]);
    expect(line.carry('model', {})).toBeNull();
    expect(pipelineOf(defaultPlan).onParticipant(model(values), measures, none, at).kept).toEqual({});
  });
});

describe('clip', () => {
  it('bounds the norm of the steps, keeps their direction and leaves averages', () => {
    fc.assert(
      fc.property(forty, fc.double({ min: 0.01, max: 100, noNaN: true }), (values, clipNorm) => {
        const before = values.slice();
        const clipped = clip('model', clipNorm).onParticipant(model(values), at).get('model') as Float32Array;
        expect(values).toEqual(before);
        expect(norm(steps(clipped))).toBeLessThanOrEqual(clipNorm * (1 + 1e-6));
        expect(clipped.subarray(17, 19)).toEqual(values.subarray(17, 19));
        const factor = Math.min(1, clipNorm / norm(steps(values)));
        for (const i of [0, 16, 20, 39]) expect(clipped[i]).toBeCloseTo((values[i] as number) * factor, 3);
      }),
    );
  });

  it.each(Object.keys(codecs) as Codec[])(
    'never lets an honest, clipped contribution of %s be too long to count',
    (codec) => {
      fc.assert(
        fc.property(
          fc
            .array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 40, maxLength: 40 })
            .map((numbers) => Float32Array.from(numbers, (number) => number * 1000)),
          fc.constantFrom(0.01, 1, 300),
          fc.nat(0xffffffff),
          (values, clipNorm, seed) => {
            const plan = { ...defaultPlan, maxNorm: null, clipNorm, uploadCodec: codec };
            const line = pipelineOf(plan);
            const { payload } = line.onParticipant(model(values), measures, layoutBounds(layout), {
              ...at,
              seed,
            });
            const sum = new ExactSum(sections);
            const limit = {
              layout: layout.slice(0, 3).map((one) => ({ ...one, trainable: one.role === 'step' })),
              bound: line.bounds(sections, layoutBounds(layout)).get('model') as NormBound,
            };
            finish(sum.add(finish(line.onContribution(payload, sections)), 1, new Map([['model', limit]])));
            expect(sum.count).toBe(1);
          },
        ),
      );
    },
  );
});

it('bounds every group as its layout states, steps and averages each by themselves', () => {
  const bounded = layout.map((tensor) => (tensor.role === 'measure' ? tensor : { ...tensor, bound: 9 }));
  const control = { ...(layout[0] as TensorSpec), group: 'control', bound: 4 };
  const most = layoutBounds([...bounded.slice(0, 3), control, ...bounded.slice(3)]);
  expect([...most]).toEqual([
    ['model', { trainable: 9, nonTrainable: 9 }],
    ['control', { trainable: 4, nonTrainable: 4 }],
  ]);
  const clipped = pipelineOf({ ...defaultPlan, clipNorm: 2 }).bounds(sections, most);
  expect(clipped.get('model')?.trainable).toBeCloseTo(2, 4);
  // Averages are not clipped.
  expect(clipped.get('model')?.nonTrainable).toBe(9);
});
