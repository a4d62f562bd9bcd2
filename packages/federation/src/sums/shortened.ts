import { type Layout, shapeSize } from '@coppice/protocol';
import type { Values } from '../codecs/values.ts';
import type { NormBound } from '../pipeline/norm-bound.ts';

/** Multiplies numbers in their place, those `from` on of a layout: steps and averages each by a factor of their own. */
export function shorten(slice: Float32Array, layout: Layout, from: number, factors: NormBound): void {
  const end = from + slice.length;
  let begin = 0;
  for (const { shape, trainable } of layout) {
    const next = begin + shapeSize(shape);
    const factor = trainable ? factors.trainable : factors.nonTrainable;
    if (factor < 1)
      for (let i = Math.max(begin, from); i < Math.min(next, end); i++)
        slice[i - from] = (slice[i - from] as number) * factor;
    begin = next;
  }
}

/** The same values, steps and averages each times a factor of their own, rounded to float32. */
export function shortenedValues(values: Values, layout: Layout, factors: NormBound): Values {
  return {
    parameters: values.parameters,
    read(memory, from, count, to) {
      values.read(memory, from, count, to);
      shorten(new Float32Array(memory.buffer, to, count), layout, from, factors);
    },
  };
}
