import { type Layout, layoutSize, modelParts } from '@coppice/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeValues } from './codecs/encode.ts';
import { roundedStep, takeSteps } from './codecs/steps.ts';
import { keepFrozen, partOf, wholeOf } from './model-parts.ts';
import { finish } from './steps.ts';

const layouts: fc.Arbitrary<Layout> = fc
  .array(
    fc.record({
      shape: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 }),
      kind: fc.constantFrom('step', 'average', 'frozen'),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((tensors) =>
    tensors.map(({ shape, kind }, i) => ({
      name: `t${i}`,
      shape,
      trainable: kind === 'step',
      ...(kind === 'frozen' ? { frozen: true } : {}),
    })),
  );
const numbered = (layout: Layout) => Float32Array.from({ length: layoutSize(layout) }, (_, i) => i + 1);

describe('the parts of a model', () => {
  it('are its tensors, each once and in order, and make the whole again', () => {
    fc.assert(
      fc.property(layouts, (layout) => {
        const weights = numbered(layout);
        const moving = finish(partOf(layout, 'moving', weights));
        const frozen = finish(partOf(layout, 'frozen', weights));
        expect([...moving, ...frozen].toSorted((a, b) => a - b)).toEqual([...weights]);
        expect([...moving]).toEqual([...moving].toSorted((a, b) => a - b));
        expect([...frozen]).toEqual([...frozen].toSorted((a, b) => a - b));
        expect(finish(wholeOf(layout, { moving, frozen }))).toEqual(weights);
        const parts = modelParts(layout);
        expect(parts === null).toBe(moving.length === 0 || frozen.length === 0);
        if (parts !== null)
          expect([layoutSize(parts.moving), layoutSize(parts.frozen)]).toEqual([
            moving.length,
            frozen.length,
          ]);
      }),
    );
  });

  const layout: Layout = [
    { name: 'head', shape: [3], trainable: true },
    { name: 'base', shape: [2], trainable: false, frozen: true },
    { name: 'mean', shape: [], trainable: false },
    { name: 'tail', shape: [1], trainable: false, frozen: true },
  ];

  it('are zeros where the frozen part is not known', () => {
    expect(finish(wholeOf(layout, { moving: Float32Array.of(1, 2, 3, 4), frozen: null }))).toEqual(
      Float32Array.of(1, 2, 3, 0, 0, 4, 0),
    );
  });

  it('keep their frozen numbers to the bit, the sign of a zero included', () => {
    const before = Float32Array.of(1, 2, 3, -0, 5, 6, 7);
    const weights = Float32Array.of(10, 20, 30, 0, 51, 60, 71);
    finish(keepFrozen(layout, before, weights));
    expect(weights).toEqual(Float32Array.of(10, 20, 30, -0, 5, 60, 7));
  });

  it('move by steps that say nothing of the frozen part', () => {
    const before = Float32Array.of(1, 2, 3, -0, 5, 6, 7);
    const after = Float32Array.of(1.5, 1, 3.25, 0, 5, 8, 7);
    const { payload, weights } = finish(roundedStep('float16', { before, after, layout, seed: 1 }));
    // The average as float32, three steps as float16.
    expect(payload.byteLength).toBe(4 + 2 * 3);
    expect(weights).toEqual(Float32Array.of(1.5, 1, 3.25, -0, 5, 8, 7));
    expect(takeSteps('float16', payload, before, layout)).toEqual(weights);
    expect(takeSteps('float16', new Uint8Array(0), before, layout)).toEqual(before);
    const whole: Layout = layout.map(({ frozen: _, ...spec }) => spec);
    const all = encodeValues('float16', Float32Array.of(0.5, -1, 0.25, 0, 0, 2, 0), whole, 1);
    expect(payload).toEqual(Uint8Array.from([...all.subarray(8, 12), ...all.subarray(16)]));
  });
});
