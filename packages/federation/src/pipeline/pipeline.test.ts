import { defaultPlan, type Layout } from '@coppice/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { norm } from '../metrics.ts';
import { pipelineOf } from './index.ts';
import { type PipelineStep, pipeline } from './pipeline.ts';

const layout: Layout = [
  { name: 'a', shape: [3], trainable: true },
  { name: 'b', shape: [2], trainable: false },
];
const context = { layout, round: 1, examples: 1 };

const shift = (by: number): PipelineStep => ({
  name: `shift ${by}`,
  onParticipant: (values) => values.map((value) => value + by),
  onServer: (values) => values.map((value) => value - by),
});
const double: PipelineStep = {
  name: 'double',
  onParticipant: (values) => values.map((value) => value * 2),
  onServer: (values) => values.map((value) => value / 2),
};

describe('pipeline', () => {
  it('runs steps in order and their inverses in reverse', () => {
    const steps = pipeline([shift(1), double, shift(3)]);
    const sent = steps.onParticipant(new Float32Array([1, 2, 3, 4, 5]), context);
    expect([...sent]).toEqual([7, 9, 11, 13, 15]);
    expect([...steps.onServer(sent, context)]).toEqual([1, 2, 3, 4, 5]);
    expect(steps.undone).toBe(true);
  });

  it('without steps gives the same array back', () => {
    const values = new Float32Array(5);
    const { onParticipant, onServer, undone } = pipelineOf(defaultPlan);
    expect(onParticipant(values, context)).toBe(values);
    expect(onServer(values, context)).toBe(values);
    expect(undone).toBe(false);
  });
});

describe('clip', () => {
  it('bounds the norm of the trainable part, keeps its direction and leaves the rest', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: -1000, max: 1000, noNaN: true }), { minLength: 5, maxLength: 5 }),
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        (numbers, clipNorm) => {
          const values = Float32Array.from(numbers);
          const before = values.slice();
          const clipped = pipelineOf({ ...defaultPlan, clipNorm }).onParticipant(values, context);
          expect(values).toEqual(before);
          expect(norm(clipped.slice(0, 3))).toBeLessThanOrEqual(clipNorm * (1 + 1e-6));
          expect(clipped.slice(3)).toEqual(values.slice(3));
          const factor = Math.min(1, clipNorm / norm(values.slice(0, 3)));
          for (let i = 0; i < 3; i++) expect(clipped[i]).toBeCloseTo((values[i] as number) * factor, 3);
        },
      ),
    );
  });
});
