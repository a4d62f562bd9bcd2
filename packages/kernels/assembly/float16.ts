const LARGEST: f32 = 65504;
const SUBNORMAL: f32 = 6.103515625e-5; // 2⁻¹⁴
/** Adding it to a float32 below 2⁻¹⁴ rounds that to a multiple of 2⁻²⁴, ties to even. */
const HALF: f32 = 0.5;

/** n float32 values → float16, to the nearest, ties to even; what is too large becomes ±65504. */
export function encodeFloat16(n: usize, x: usize, out: usize): void {
  const end = x + ((n & ~3) << 2);
  while (x < end) {
    const value = v128.load(x);
    const sign = v128.and(i32x4.shr_u(value, 16), i32x4.splat(0x8000));
    const magnitude = f32x4.min(f32x4.abs(value), f32x4.splat(LARGEST));
    const odd = v128.and(i32x4.shr_u(magnitude, 13), i32x4.splat(1));
    const rounded = i32x4.add(magnitude, i32x4.add(i32x4.splat(0xfff), odd));
    const normal = i32x4.sub(i32x4.shr_u(rounded, 13), i32x4.splat(112 << 10));
    const subnormal = i32x4.sub(f32x4.add(magnitude, f32x4.splat(HALF)), i32x4.splat(0x3f000000));
    const small = f32x4.lt(magnitude, f32x4.splat(SUBNORMAL));
    const bits = v128.or(sign, v128.bitselect(subnormal, normal, small));
    v128.store64_lane(out, i16x8.narrow_i32x4_u(bits, bits), 0);
    x += 16;
    out += 8;
  }
  for (let rest = n & 3; rest > 0; rest--) {
    const value = load<f32>(x);
    const sign = (reinterpret<u32>(value) >> 16) & 0x8000;
    const magnitude = min<f32>(abs<f32>(value), LARGEST);
    const bits = reinterpret<u32>(magnitude);
    const positive =
      magnitude < SUBNORMAL
        ? reinterpret<u32>(magnitude + HALF) - 0x3f000000
        : ((bits + 0xfff + ((bits >> 13) & 1)) >> 13) - (112 << 10);
    store<u16>(out, <u16>(sign | positive));
    x += 4;
    out += 2;
  }
}

const SCALE: f32 = 5.192296858534828e33; // 2¹¹²

/** n float16 values, at any address → float32, exactly. */
export function decodeFloat16(n: usize, from: usize, to: usize): void {
  const end = to + ((n & ~3) << 2);
  while (to < end) {
    const half = i32x4.extend_low_i16x8_u(v128.load64_zero(from));
    const sign = i32x4.shl(v128.and(half, i32x4.splat(0x8000)), 16);
    const magnitude = v128.and(half, i32x4.splat(0x7fff));
    // Read as float32 the exponent is 112 too small; the multiplication also makes subnormals normal.
    const value = f32x4.mul(i32x4.shl(magnitude, 13), f32x4.splat(SCALE));
    const notFinite = v128.and(
      i32x4.gt_s(magnitude, i32x4.splat(0x7bff)),
      i32x4.splat(0x7f800000),
    );
    v128.store(to, v128.or(v128.or(value, notFinite), sign));
    from += 8;
    to += 16;
  }
  for (let rest = n & 3; rest > 0; rest--) {
    const half = <u32>load<u16>(from);
    const magnitude = half & 0x7fff;
    let bits = reinterpret<u32>(reinterpret<f32>(magnitude << 13) * SCALE);
    if (magnitude > 0x7bff) bits |= 0x7f800000;
    store<u32>(to, bits | ((half & 0x8000) << 16));
    from += 2;
    to += 4;
  }
}
