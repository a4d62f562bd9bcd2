const ROUNDER: f64 = 6755399441055744.0; // 1.5 · 2⁵²

/** sums ← sums + round(scale · x) + bits(1.5 · 2⁵²), as int64, over n float32 values; needs |scale · x| < 2⁵¹. */
export function addFloat32(n: usize, scale: f64, x: usize, sums: usize): void {
  const scale2 = f64x2.splat(scale);
  const rounder2 = f64x2.splat(ROUNDER);
  const end = x + ((n & ~3) << 2);
  while (x < end) {
    const four = v128.load(x);
    const low = f64x2.promote_low_f32x4(four);
    const high = f64x2.promote_low_f32x4(v128.shuffle<i32>(four, four, 2, 3, 2, 3));
    v128.store(sums, i64x2.add(v128.load(sums), f64x2.add(f64x2.mul(low, scale2), rounder2)));
    v128.store(sums, i64x2.add(v128.load(sums, 16), f64x2.add(f64x2.mul(high, scale2), rounder2)), 16);
    x += 16;
    sums += 32;
  }
  for (let rest = n & 3; rest > 0; rest--) {
    const bits = reinterpret<i64>(scale * <f64>load<f32>(x) + ROUNDER);
    store<i64>(sums, load<i64>(sums) + bits);
    x += 4;
    sums += 8;
  }
}
