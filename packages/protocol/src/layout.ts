import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import * as z from 'zod/mini';
import type { ModelSize } from './codec.ts';
import { MAX_MODEL_BYTES } from './limits.ts';

/** A tensor of a model's flat vector. Tensors lie in the layout's order, each row-major, without gaps. */
export const WeightSpecSchema = z.strictObject({
  /** The weight's name in the tfjs model, e.g. `dense_1/kernel`. */
  name: z.string().check(z.minLength(1), z.maxLength(200)),
  shape: z.array(z.int().check(z.minimum(1))).check(z.maxLength(8)),
  /** False for statistics such as batch-norm's moving mean: averaged plainly, never optimized. */
  trainable: z.boolean(),
  /** True for a weight that training never moves, such as a frozen layer's kernel. Left out: false. */
  frozen: z.optional(z.boolean()),
});
export type WeightSpec = z.infer<typeof WeightSpecSchema>;

export const LayoutSchema = z.array(WeightSpecSchema).check(
  z.minLength(1),
  z.maxLength(10_000),
  z.refine((layout) => layoutSize(layout) * 4 <= MAX_MODEL_BYTES, 'more than the largest model there may be'),
);
export type Layout = z.infer<typeof LayoutSchema>;

/** Number of elements of a tensor of this shape; a scalar (`[]`) has one. */
export function shapeSize(shape: readonly number[]): number {
  return shape.reduce((size, dimension) => size * dimension, 1);
}

/** Number of parameters of the whole model. */
export function layoutSize(layout: readonly WeightSpec[]): number {
  return layout.reduce((size, weight) => size + shapeSize(weight.shape), 0);
}

/** Number of parameters of the whole model, and of the trainable ones. */
export function modelSize(layout: Layout): ModelSize {
  return {
    parameters: layoutSize(layout),
    trainable: layoutSize(layout.filter((weight) => weight.trainable)),
  };
}

/** A model in two parts, each in layout order: tensors that training moves, and frozen ones, which nothing moves. */
export interface ModelParts {
  readonly moving: Layout;
  readonly frozen: Layout;
}

/** The parts in which a model travels; `null` where it travels whole: nothing is frozen in it, or everything. */
export function modelParts(layout: Layout): ModelParts | null {
  const frozen = layout.filter(isFrozen);
  if (frozen.length === 0 || frozen.length === layout.length) return null;
  return { moving: layout.filter((weight) => !isFrozen(weight)), frozen };
}

/** Whether nothing moves a weight. */
export function isFrozen({ trainable, frozen = false }: WeightSpec): boolean {
  return frozen && !trainable;
}

/**
 * The first 16 bytes of SHA-256 over `name:trainable:d0,d1,…` lines joined by `\n`. Every frame carries it, so that
 * weights of one model are never read as weights of another.
 */
export const layoutHash = onceEach((layout: Layout): Uint8Array => {
  const text = layout
    .map((weight) => `${weight.name}:${weight.trainable ? 1 : 0}:${weight.shape.join(',')}`)
    .join('\n');
  return sha256(utf8(text)).slice(0, 16);
});

/** Remembers what a function gives for each object, as long as the object is there. Neither may be changed. */
export function onceEach<K extends object, V>(compute: (key: K) => V): (key: K) => V {
  const known = new WeakMap<K, V>();
  return (key) => {
    const before = known.get(key);
    if (before !== undefined) return before;
    const value = compute(key);
    known.set(key, value);
    return value;
  };
}

/** SHA-256 of the weights' little-endian float32 bytes, as hex: the name of a checkpoint's weights. */
export function weightsHash(weights: Float32Array): string {
  return bytesToHex(sha256(new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength)));
}

/** UTF-8 without `TextEncoder`, which a pure room cannot assume. As there, an unpaired surrogate becomes U+FFFD. */
export function utf8(text: string): Uint8Array {
  const escaped = unescape(encodeURIComponent(text.toWellFormed()));
  const bytes = new Uint8Array(escaped.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = escaped.charCodeAt(i);
  return bytes;
}
