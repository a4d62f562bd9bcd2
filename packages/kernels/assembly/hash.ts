/** Number i of the stream of random bits that a seed names: MurmurHash3's finalizer over a Weyl sequence. */
// @ts-ignore: decorator
@inline
export function hash(seed: u32, i: u32): u32 {
  let h = seed + i * 0x9e3779b9;
  h ^= h >> 16;
  h *= 0x85ebca6b;
  h ^= h >> 13;
  h *= 0xc2b2ae35;
  return h ^ (h >> 16);
}

/** Four of them, with the constants kept by the caller: 9e3779b9, 85ebca6b and c2b2ae35, each four times. */
// @ts-ignore: decorator
@inline
export function hash4(seed: v128, i: v128, step: v128, a: v128, b: v128): v128 {
  let h = i32x4.add(seed, i32x4.mul(i, step));
  h = v128.xor(h, i32x4.shr_u(h, 16));
  h = i32x4.mul(h, a);
  h = v128.xor(h, i32x4.shr_u(h, 13));
  h = i32x4.mul(h, b);
  return v128.xor(h, i32x4.shr_u(h, 16));
}
