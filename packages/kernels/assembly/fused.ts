/** a · b + c; in one rounding where the engine has relaxed SIMD, in two elsewhere. */
// @ts-ignore: decorator
@inline
export function multiplyAdd4(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** The same of two float64. */
// @ts-ignore: decorator
@inline
export function multiplyAdd2(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f64x2.relaxed_madd(a, b, c);
  return f64x2.add(f64x2.mul(a, b), c);
}
