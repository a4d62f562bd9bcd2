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

// @ts-ignore: decorator
@inline
function storeFour(whole: v128, most: v128, y: usize): void {
  v128.store(y, f32x4.div(f32x4.convert_i32x4_u(whole), most));
}

/**
 * y ← x / 255 over n bytes at x, as float32. x may be the last quarter of y: what is written never reaches what was not
 * read yet.
 */
export function fromBytes(n: usize, x: usize, y: usize): void {
  const most = f32x4.splat(255);
  const end = x + (n & ~15);
  while (x < end) {
    const bytes = v128.load(x);
    const low = i16x8.extend_low_i8x16_u(bytes);
    const high = i16x8.extend_high_i8x16_u(bytes);
    storeFour(i32x4.extend_low_i16x8_u(low), most, y);
    storeFour(i32x4.extend_high_i16x8_u(low), most, y + 16);
    storeFour(i32x4.extend_low_i16x8_u(high), most, y + 32);
    storeFour(i32x4.extend_high_i16x8_u(high), most, y + 48);
    x += 16;
    y += 64;
  }
  for (let rest = n & 15; rest > 0; rest--) {
    store<f32>(y, <f32>load<u8>(x) / 255);
    x++;
    y += 4;
  }
}
