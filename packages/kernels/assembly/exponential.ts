import { multiplyAdd4 } from './fused';

/**
 * exp(x) for x ≤ 0, to about two units in the last place; 0 where the result would be below 1.2e-38. NaN stays NaN.
 * x = n·ln 2 + r with |r| ≤ ln 2 / 2, and a polynomial for exp(r): Cephes' expf (Moshier, 1989).
 */
// @ts-ignore: decorator
@inline
export function expOfNegative4(x: v128): v128 {
  const lowest = f32x4.splat(-87.33654);
  const bounded = f32x4.max(x, lowest);
  const n = f32x4.nearest(f32x4.mul(bounded, f32x4.splat(1.44269504088896341)));
  // ln 2 in two parts, the first short enough for n times it to be exact.
  let r = f32x4.sub(bounded, f32x4.mul(n, f32x4.splat(0.693359375)));
  r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(-2.12194440e-4)));
  let p = f32x4.splat(1.9875691500e-4);
  p = multiplyAdd4(p, r, f32x4.splat(1.3981999507e-3));
  p = multiplyAdd4(p, r, f32x4.splat(8.3334519073e-3));
  p = multiplyAdd4(p, r, f32x4.splat(4.1665795894e-2));
  p = multiplyAdd4(p, r, f32x4.splat(1.6666665459e-1));
  p = multiplyAdd4(p, r, f32x4.splat(5.0000001201e-1));
  const y = f32x4.add(multiplyAdd4(f32x4.mul(r, r), p, r), f32x4.splat(1));
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  return v128.andnot(f32x4.mul(y, power), f32x4.lt(x, lowest));
}

/** 1 / (1 + exp(−x)), from the exponential of a number that is not positive, whose result can't overflow. */
// @ts-ignore: decorator
@inline
export function sigmoid4(x: v128): v128 {
  const one = f32x4.splat(1);
  const e = expOfNegative4(f32x4.neg(f32x4.abs(x)));
  const right = f32x4.div(one, f32x4.add(one, e));
  return v128.bitselect(f32x4.mul(e, right), right, f32x4.lt(x, f32x4.splat(0)));
}

/** tanh(x): near 0 by Cephes' polynomial, else (1 − t) / (1 + t) with t = exp(−2|x|). */
// @ts-ignore: decorator
@inline
export function tanh4(x: v128): v128 {
  const one = f32x4.splat(1);
  const size = f32x4.abs(x);
  const square = f32x4.mul(x, x);
  let p = f32x4.splat(-5.70498872745e-3);
  p = multiplyAdd4(p, square, f32x4.splat(2.06390887954e-2));
  p = multiplyAdd4(p, square, f32x4.splat(-5.37397155531e-2));
  p = multiplyAdd4(p, square, f32x4.splat(1.33314422036e-1));
  p = multiplyAdd4(p, square, f32x4.splat(-3.33332819422e-1));
  const near = multiplyAdd4(f32x4.mul(p, square), x, x);
  const t = expOfNegative4(f32x4.mul(size, f32x4.splat(-2)));
  const far = f32x4.div(f32x4.sub(one, t), f32x4.add(one, t));
  const sign = v128.and(x, i32x4.splat(<i32>0x80000000));
  return v128.bitselect(near, v128.or(far, sign), f32x4.lt(size, f32x4.splat(0.625)));
}
