import { beforeAll, expect, it, vi } from 'vitest';
import { useBackend } from './backends.ts';
import { orthogonalised } from './orthogonal.ts';
import * as tf from './tf.ts';

beforeAll(async () => {
  // tfjs warns that its own is slow.
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  await useBackend('cpu');
});

it.each([
  [1, 1],
  [2, 2],
  [5, 3],
  [48, 48],
  [49, 7],
  [97, 64],
])('has the bits of tfjs for %i × %i', (m, n) => {
  for (const seed of [1, 2, 3]) {
    const normal = tf.randomNormal([m, n], 0, 1, 'float32', seed);
    const [q, r] = tf.linalg.qr(normal) as [tf.Tensor, tf.Tensor];
    const upper = r.dataSync<'float32'>();
    const signs = Array.from({ length: n }, (_, i) => Math.sign(upper[i * n + i] as number));
    const expected = q.dataSync<'float32'>().map((x, i) => x * (signs[i % n] as number));
    expect(orthogonalised(normal.dataSync<'float32'>(), m, n)).toEqual(expected);
    tf.dispose([normal, q, r]);
  }
});

it('has orthonormal columns', () => {
  const [m, n] = [130, 70];
  const q = orthogonalised(tf.randomNormal([m, n], 0, 1, 'float32', 4).dataSync<'float32'>(), m, n);
  for (let a = 0; a < n; a++) {
    for (let b = 0; b <= a; b++) {
      let product = 0;
      for (let i = 0; i < m; i++) product += (q[i * n + a] as number) * (q[i * n + b] as number);
      expect(product).toBeCloseTo(a === b ? 1 : 0, 5);
    }
  }
});
