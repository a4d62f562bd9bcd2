import { multiplyAdd4 } from './fused';

/** y ← a · x + y over n float32 values at x and y. */
export function multiplyAdd(n: usize, a: f32, x: usize, y: usize): void {
  const a4 = f32x4.splat(a);
  const end = x + ((n & ~3) << 2);
  while (x < end) {
    v128.store(y, multiplyAdd4(a4, v128.load(x), v128.load(y)));
    x += 16;
    y += 16;
  }
  for (let rest = n & 3; rest > 0; rest--) {
    store<f32>(y, a * load<f32>(x) + load<f32>(y));
    x += 4;
    y += 4;
  }
}
