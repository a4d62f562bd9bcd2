import { largestBits } from './exact-sum';
import { hash, hash4 } from './hash';
import { kept } from './kept';

/** Parameters that share a scale. */
const BLOCK: usize = 1024;
const LARGEST: f32 = 127;
const SMALLEST_NORMAL: f32 = 1.1754943508222875e-38; // 2⁻¹²⁶
const RESOLUTION: f32 = 5.960464477539063e-8; // 2⁻²⁴

/**
 * n finite float32 values → blocks of a float32 scale and up to 1024 whole numbers from −127 to 127, rounded up or
 * down at random so that the mean is right: value i by number `first` + i of the seed's stream.
 */
export function encodeInt8(n: usize, x: usize, seed: u32, first: u32, out: usize): void {
  encode(n, x, false, seed, first, out);
}

/** The same, rounded to the nearest, ties to even. */
export function encodeInt8Nearest(n: usize, x: usize, out: usize): void {
  encode(n, x, true, 0, 0, out);
}

function encode(n: usize, x: usize, toNearest: bool, seed: u32, first: u32, out: usize): void {
  while (n > 0) {
    const count = min<usize>(n, BLOCK);
    const largest = reinterpret<f32>(largestBits(count, x));
    let scale = largest / LARGEST;
    // Rounded up, so that nothing is beyond 127.
    if (<f64>scale * LARGEST < <f64>largest) scale = reinterpret<f32>(reinterpret<u32>(scale) + 1);
    if (scale < SMALLEST_NORMAL) scale = 0;
    store<f32>(out, scale);
    out += 4;
    if (scale === 0) memory.fill(out, 0, count);
    else if (toNearest) nearestBlock(count, x, 1 / scale, out);
    else roundBlock(count, x, 1 / scale, seed, first, out);
    x += count << 2;
    out += count;
    first += <u32>count;
    n -= count;
  }
}

// @ts-ignore: decorator
@inline
function four(x: usize, inverse: v128, random: v128, resolution: v128, largest: v128): v128 {
  // 24 random bits fit into signed numbers, which more engines convert in one instruction.
  const uniform = f32x4.mul(f32x4.convert_i32x4_s(i32x4.shr_u(random, 8)), resolution);
  const rounded = f32x4.floor(f32x4.add(f32x4.mul(v128.load(x), inverse), uniform));
  const within = f32x4.pmax(f32x4.neg(largest), f32x4.pmin(largest, rounded));
  return i32x4.trunc_sat_f32x4_s(within);
}

function roundBlock(n: usize, x: usize, inverse: f32, seed: u32, first: u32, out: usize): void {
  const inverse4 = f32x4.splat(inverse);
  const seed4 = i32x4.splat(seed);
  let i = i32x4.add(i32x4.splat(first), i32x4(0, 1, 2, 3));
  const step = kept(i32x4.splat(4), n);
  const weyl = kept(i32x4.splat(0x9e3779b9), n);
  const mixA = kept(i32x4.splat(0x85ebca6b), n);
  const mixB = kept(i32x4.splat(0xc2b2ae35), n);
  const resolution = kept(f32x4.splat(RESOLUTION), n);
  const largest = kept(f32x4.splat(LARGEST), n);
  const end = x + ((n & ~7) << 2);
  while (x < end) {
    const a = four(x, inverse4, hash4(seed4, i, weyl, mixA, mixB), resolution, largest);
    i = i32x4.add(i, step);
    const b = four(x + 16, inverse4, hash4(seed4, i, weyl, mixA, mixB), resolution, largest);
    i = i32x4.add(i, step);
    const words = i16x8.narrow_i32x4_s(a, b);
    v128.store64_lane(out, i8x16.narrow_i16x8_s(words, words), 0);
    x += 32;
    out += 8;
    first += 8;
  }
  for (let rest = n & 7; rest > 0; rest--) {
    const uniform = <f32>(hash(seed, first) >> 8) * RESOLUTION;
    const rounded = floor<f32>(load<f32>(x) * inverse + uniform);
    store<i8>(out, <i8>max<f32>(min<f32>(rounded, LARGEST), -LARGEST));
    x += 4;
    out += 1;
    first += 1;
  }
}

function nearestBlock(n: usize, x: usize, inverse: f32, out: usize): void {
  const inverse4 = f32x4.splat(inverse);
  const largest = kept(f32x4.splat(LARGEST), n);
  const end = x + ((n & ~7) << 2);
  while (x < end) {
    const words = i16x8.narrow_i32x4_s(nearestFour(x, inverse4, largest), nearestFour(x + 16, inverse4, largest));
    v128.store64_lane(out, i8x16.narrow_i16x8_s(words, words), 0);
    x += 32;
    out += 8;
  }
  for (let rest = n & 7; rest > 0; rest--) {
    const rounded = nearest<f32>(load<f32>(x) * inverse);
    store<i8>(out, <i8>max<f32>(min<f32>(rounded, LARGEST), -LARGEST));
    x += 4;
    out += 1;
  }
}

// @ts-ignore: decorator
@inline
function nearestFour(x: usize, inverse: v128, largest: v128): v128 {
  const rounded = f32x4.nearest(f32x4.mul(v128.load(x), inverse));
  return i32x4.trunc_sat_f32x4_s(f32x4.pmax(f32x4.neg(largest), f32x4.pmin(largest, rounded)));
}

/** n values of such blocks, at any address → float32: whole number · scale, rounded to float32. */
export function decodeInt8(n: usize, from: usize, to: usize): void {
  while (n > 0) {
    const count = min<usize>(n, BLOCK);
    const scale = load<f32>(from);
    const scale4 = f32x4.splat(scale);
    from += 4;
    const end = to + ((count & ~7) << 2);
    while (to < end) {
      const words = i16x8.extend_low_i8x16_s(v128.load64_zero(from));
      v128.store(to, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(words)), scale4));
      v128.store(to, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(words)), scale4), 16);
      from += 8;
      to += 32;
    }
    for (let rest = count & 7; rest > 0; rest--) {
      store<f32>(to, <f32>load<i8>(from) * scale);
      from += 1;
      to += 4;
    }
    n -= count;
  }
}
