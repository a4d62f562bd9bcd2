/**
 * A constant for use in a loop. Engines make a constant vector anew wherever it is used, by several instructions in
 * each turn, often more than it is used for; one that they cannot foresee is made once, and stays in a register.
 *
 * @param n the number of values in the loop, below 2³¹: its highest bit is 0, which the compiler cannot know.
 */
// @ts-ignore: decorator
@inline
export function kept(constant: v128, n: usize): v128 {
  return v128.xor(constant, i64x2.splat(<i64>(n >> 31)));
}
