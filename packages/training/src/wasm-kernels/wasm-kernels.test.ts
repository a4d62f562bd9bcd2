import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { useBackend } from '../backends.ts';
import * as tf from '../tf.ts';

/** Numbers of the same computation on tfjs's plain JavaScript backend and on WASM. */
async function onBoth(compute: () => tf.Tensor[]): Promise<[Float32Array[], Float32Array[]]> {
  const results: Float32Array[][] = [];
  for (const backend of ['cpu', 'wasm'] as const) {
    await useBackend(backend);
    const before = tf.memory().numDataBuffers;
    const tensors = tf.tidy(() => compute());
    results.push(tensors.map((tensor) => tensor.dataSync<'float32'>()));
    tf.dispose(tensors);
    expect(tf.memory().numDataBuffers).toBe(before);
    // Counts what the kernels allocated under tfjs's own bookkeeping too.
    expect(tf.backend().numDataIds()).toBe(tf.memory().numDataBuffers);
  }
  return results as [Float32Array[], Float32Array[]];
}

function expectClose([cpu, wasm]: [Float32Array[], Float32Array[]]): void {
  for (const [i, numbers] of cpu.entries()) {
    const scale = numbers.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    expect(wasm[i]).toHaveLength(numbers.length);
    for (const [j, value] of numbers.entries()) {
      expect(Math.abs(value - (wasm[i]?.[j] as number)) / scale).toBeLessThan(1e-4);
    }
  }
}

describe('gradients of a convolution on WASM', () => {
  it.each([
    { x: [2, 7, 6, 3], filter: [3, 3, 3, 4], strides: 1, pad: 'same' },
    { x: [2, 7, 6, 3], filter: [3, 2, 3, 4], strides: 1, pad: 'valid' },
    { x: [1, 9, 8, 1], filter: [5, 5, 1, 2], strides: 2, pad: 'same' },
    { x: [3, 9, 8, 2], filter: [2, 3, 2, 5], strides: [2, 3], pad: 'valid' },
    { x: [2, 5, 5, 2], filter: [3, 3, 2, 3], strides: 1, pad: 2 },
    { x: [2, 4, 4, 2], filter: [1, 1, 2, 3], strides: [2, 2], pad: 'valid' },
  ] as const)('$filter over $x, strides $strides, pad $pad', async ({ x, filter, strides, pad }) => {
    expectClose(
      await onBoth(() =>
        tf.grads((input, weights) =>
          tf.sum(
            tf.square(
              tf.conv2d(input as tf.Tensor4D, weights as tf.Tensor4D, strides as [number, number], pad),
            ),
          ),
        )([tf.randomNormal([...x], 0, 1, 'float32', 5), tf.randomNormal([...filter], 0, 1, 'float32', 6)]),
      ),
    );
  });
});

describe('gradients of a depthwise convolution on WASM', () => {
  const size = fc.integer({ min: 1, max: 9 });
  const shapes = fc
    .record({
      batch: fc.integer({ min: 1, max: 3 }),
      height: size,
      width: size,
      channels: fc.integer({ min: 1, max: 5 }),
      multiplier: fc.integer({ min: 1, max: 2 }),
      filterHeight: fc.integer({ min: 1, max: 5 }),
      filterWidth: fc.integer({ min: 1, max: 5 }),
      stride: fc.integer({ min: 1, max: 2 }),
      pad: fc.constantFrom('same' as const, 'valid' as const),
      seed: fc.integer({ min: 1, max: 1000 }),
    })
    .filter(
      ({ pad, height, width, filterHeight, filterWidth }) =>
        pad === 'same' || (filterHeight <= height && filterWidth <= width),
    );

  it('are those of the plain backend, whatever the shapes', async () => {
    await fc.assert(
      fc.asyncProperty(shapes, async (s) => {
        const x = [s.batch, s.height, s.width, s.channels];
        const filter = [s.filterHeight, s.filterWidth, s.channels, s.multiplier];
        expectClose(
          await onBoth(() =>
            tf.grads((input, weights) => {
              const out = tf.depthwiseConv2d(input as tf.Tensor4D, weights as tf.Tensor4D, s.stride, s.pad);
              // Linear in the output, so that what flows back is the same whatever the forward kernel gave.
              return tf.sum(tf.mul(out, tf.randomNormal(out.shape, 0, 1, 'float32', s.seed + 2)));
            })([
              tf.randomNormal(x, 0, 1, 'float32', s.seed),
              tf.randomNormal(filter, 0, 1, 'float32', s.seed + 1),
            ]),
          ),
        );
      }),
      { numRuns: 60 },
    );
  });
});

describe('convolutions on WASM', () => {
  const size = fc.integer({ min: 1, max: 9 });
  const side = fc.integer({ min: 1, max: 4 });
  const shapes = fc
    .record({
      batch: fc.integer({ min: 1, max: 3 }),
      height: size,
      width: size,
      channels: fc.integer({ min: 1, max: 4 }),
      filters: fc.integer({ min: 1, max: 3 }),
      filterHeight: side,
      filterWidth: side,
      stride: fc.integer({ min: 1, max: 3 }),
      // Of all convolutions, tfjs dilates only those of stride 1.
      dilation: fc.integer({ min: 1, max: 2 }),
      pad: fc.constantFrom('same' as const, 'same' as const, 'valid' as const),
      seed: fc.integer({ min: 1, max: 1000 }),
    })
    .map((s) => (s.stride === 1 ? s : { ...s, dilation: 1 }))
    .filter(
      (s) =>
        s.pad === 'same' ||
        ((s.filterHeight - 1) * s.dilation < s.height && (s.filterWidth - 1) * s.dilation < s.width),
    );

  it('plain, depthwise and fused ones give what the plain backend gives, whatever the shapes', async () => {
    await fc.assert(
      fc.asyncProperty(shapes, async (s) => {
        expectClose(
          await onBoth(() => {
            const random = (shape: number[], seed: number) => tf.randomNormal(shape, 0, 1, 'float32', seed);
            const x = random([s.batch, s.height, s.width, s.channels], s.seed) as tf.Tensor4D;
            const filter = random(
              [s.filterHeight, s.filterWidth, s.channels, s.filters],
              s.seed + 1,
            ) as tf.Tensor4D;
            const how = { strides: s.stride, pad: s.pad, dilations: s.dilation, activation: 'relu' as const };
            return [
              tf.conv2d(x, filter, s.stride, s.pad, 'NHWC', s.dilation),
              tf.depthwiseConv2d(x, filter, s.stride, s.pad, 'NHWC', s.dilation),
              tf.fused.conv2d({ x, filter, ...how, bias: random([s.filters], s.seed + 2) }),
              tf.fused.depthwiseConv2d({
                x,
                filter,
                ...how,
                bias: random([s.channels * s.filters], s.seed + 3),
              }),
            ];
          }),
        );
      }),
      {
        numRuns: 60,
        // Where the backend's own "same" padding was wrong: a stride larger than one side of the filter.
        examples: [
          [
            {
              batch: 1,
              height: 1,
              width: 2,
              channels: 1,
              filters: 1,
              filterHeight: 2,
              filterWidth: 1,
              stride: 2,
              dilation: 1,
              pad: 'same',
              seed: 1,
            },
          ],
        ],
      },
    );
  });
});

describe('the gradient of a look-up on WASM', () => {
  it('is that of the plain backend, rows that are looked up often and never included', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 6 }),
        fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 20 }),
        fc.constantFrom([], [1], [4], [3, 2]),
        async (more, indices, inner) => {
          const rows = Math.max(...indices) + more;
          expectClose(
            await onBoth(() => [
              tf.grad((table) => tf.sum(tf.square(tf.gather(table, tf.tensor1d(indices, 'int32')))))(
                tf.randomNormal([rows, ...inner], 0, 1, 'float32', 7),
              ),
            ]),
          );
        },
      ),
      { numRuns: 40 },
    );
  });

  it('leaves segments out that are none', async () => {
    await useBackend('wasm');
    const sums = tf.tidy(() =>
      tf.unsortedSegmentSum(tf.tensor1d([1, 2, 4, 8]), tf.tensor1d([1, -1, 2, 1], 'int32'), 2).arraySync(),
    );
    expect(sums).toEqual([0, 9]);
  });
});

describe('matrix products on WASM', () => {
  it.each([
    [3, 40, 50],
    [50, 40, 3],
    [1, 64, 1],
    [20, 1, 30],
  ])('%i × %i × %i, whichever operand is transposed', async (m, k, n) => {
    for (const transposeA of [false, true]) {
      for (const transposeB of [false, true]) {
        expectClose(
          await onBoth(() => [
            tf.matMul(
              tf.randomNormal(transposeA ? [k, m] : [m, k], 0, 1, 'float32', 1),
              tf.randomNormal(transposeB ? [n, k] : [k, n], 0, 1, 'float32', 2),
              transposeA,
              transposeB,
            ),
          ]),
        );
      }
    }
  });

  it('keeps stacks of matrices, and stacks of one', async () => {
    expectClose(
      await onBoth(() =>
        [
          [2, 2],
          [1, 1],
          [1, 3],
        ].map(([a, b]) =>
          tf.matMul(
            tf.randomNormal([a as number, 2, 5], 0, 1, 'float32', 1),
            tf.randomNormal([b as number, 40, 5], 0, 1, 'float32', 2),
            false,
            true,
          ),
        ),
      ),
    );
    await useBackend('wasm');
    expect(tf.tidy(() => tf.matMul(tf.ones([1, 2, 5]), tf.ones([1, 5, 3])).shape)).toEqual([1, 2, 3]);
  });
});

describe('the gradient of max pooling on WASM', () => {
  const size = fc.integer({ min: 3, max: 8 });
  const pool = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }));
  it('goes to the largest of each window, be it positive or not, the first of several', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          height: size,
          width: size,
          channels: fc.integer({ min: 1, max: 3 }),
          pool,
          strides: pool,
          pad: fc.constantFrom('same' as const, 'valid' as const),
          // Below 0, around it, above it.
          middle: fc.constantFrom(-3, 0, 3),
          whole: fc.boolean(),
        }),
        async ({ height, width, channels, pool, strides, pad, middle, whole }) => {
          expectClose(
            await onBoth(() => {
              const drawn = tf.randomNormal([2, height, width, channels], middle, 1, 'float32', 3);
              const x = (whole ? tf.round(drawn) : drawn) as tf.Tensor4D;
              return [
                tf.grad((input) => tf.sum(tf.square(tf.maxPool(input as tf.Tensor4D, pool, strides, pad))))(
                  x,
                ),
              ];
            }),
          );
        },
      ),
      { numRuns: 60 },
    );
  });
});
