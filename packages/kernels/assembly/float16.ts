import { kept } from './kept';

const LARGEST: f32 = 65504;
const SUBNORMAL: f32 = 6.103515625e-5; // 2⁻¹⁴
/** Adding it to a float32 below 2⁻¹⁴ rounds that to a multiple of 2⁻²⁴, ties to even. */
const HALF: f32 = 0.5;

/** n float32 values → float16, to the nearest, ties to even; overflow becomes ±65504. */
export function encodeFloat16(n: usize, x: usize, out: usize): void {
  const signBit = kept(i32x4.splat(0x8000), n);
  const largest = kept(f32x4.splat(LARGEST), n);
  const one = kept(i32x4.splat(1), n);
  const belowHalf = kept(i32x4.splat(0xfff), n);
  const exponents = kept(i32x4.splat(112 << 10), n);
  const half = kept(f32x4.splat(HALF), n);
  const bound = kept(f32x4.splat(SUBNORMAL), n);
  const end = x + ((n & ~3) << 2);
  while (x < end) {
    const value = v128.load(x);
    const sign = v128.and(i32x4.shr_u(value, 16), signBit);
    const absolute = f32x4.abs(value);
    const magnitude = f32x4.pmin(absolute, largest);
    const odd = v128.and(i32x4.shr_u(magnitude, 13), one);
    const rounded = i32x4.add(magnitude, i32x4.add(belowHalf, odd));
    const normal = i32x4.sub(i32x4.shr_u(rounded, 13), exponents);
    const subnormal = i32x4.sub(f32x4.add(magnitude, half), half);
    const small = f32x4.lt(magnitude, bound);
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
  const positive = kept(i32x4.splat(0x7fff), n);
  const scale = kept(f32x4.splat(SCALE), n);
  const largest = kept(i32x4.splat(0x7bff), n);
  const infinity = kept(i32x4.splat(0x7f800000), n);
  const end = to + ((n & ~3) << 2);
  while (to < end) {
    const half = i32x4.extend_low_i16x8_u(v128.load64_zero(from));
    const magnitude = v128.and(half, positive);
    const sign = i32x4.shl(v128.xor(half, magnitude), 16);
    // Read as float32 the exponent is 112 too small; the multiplication also makes subnormals normal.
    const value = f32x4.mul(i32x4.shl(magnitude, 13), scale);
    const notFinite = v128.and(i32x4.gt_s(magnitude, largest), infinity);
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
