import type { GraphWeight } from './graph.ts';

/** A weight with its dimensions in another order: dimension i of the result is `order[i]` of the weight. */
export function transpose({ shape, values }: GraphWeight, order: readonly number[]): GraphWeight {
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((size, one) => size * one, 1));
  const sizes = order.map((i) => shape[i] as number);
  const steps = order.map((i) => strides[i] as number);
  const out = new Float32Array(values.length);
  const at = sizes.map(() => 0);
  let from = 0;
  for (let to = 0; to < out.length; to++) {
    out[to] = values[from] as number;
    for (let i = sizes.length - 1; i >= 0; i--) {
      const next = (at[i] as number) + 1;
      from += steps[i] as number;
      if (next < (sizes[i] as number)) {
        at[i] = next;
        break;
      }
      at[i] = 0;
      from -= (steps[i] as number) * next;
    }
  }
  return { shape: sizes, values: out };
}
