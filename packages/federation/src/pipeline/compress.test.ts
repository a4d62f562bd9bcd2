import { type Codec, codecs, defaultPlan, type Layout } from '@coppice/protocol';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ExactAccumulator } from '../sums/accumulator.ts';
import { payloadValues } from '../codecs/decode.ts';
import { toFloat32 } from '../codecs/values.ts';
import { compress } from './compress.ts';
import { pipelineOf } from './index.ts';
import { normBound } from './norm-bound.ts';

const layout: Layout = [
  { name: 'a', shape: [17], trainable: true },
  { name: 'mean', shape: [2], trainable: false },
  { name: 'b', shape: [21], trainable: true },
];
const context = { layout, round: 1, examples: 1 };

it.each(Object.keys(codecs) as Codec[])(
  '%s never makes an honest, clipped update too long to count',
  (codec) => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 40, maxLength: 40 }),
        fc.constantFrom(0.01, 1, 300),
        fc.nat(0xffffffff),
        (numbers, clipNorm, seed) => {
          const plan = { ...defaultPlan, maxNorm: null, clipNorm };
          const values = Float32Array.from(numbers, (number) => number * 10 * clipNorm);
          const whole = pipelineOf(plan).onParticipant(values, context);
          const { payload, arrives } = compress(codec, whole, { seed, bound: clipNorm, context });
          const received = payloadValues({ codec, payload }, layout);
          expect(toFloat32(received)).toEqual(arrives);
          const sum = new ExactAccumulator(40);
          sum.add(arrives, 1, { layout, bound: normBound(plan) });
          expect(sum.updates).toBe(1);
        },
      ),
    );
  },
);
