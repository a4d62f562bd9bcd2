/** The first `count` (1 to 4) float32 values at `at`; nothing behind them is read. The other lanes are 0. */
// @ts-ignore: decorator
@inline
export function loadPart(at: usize, count: usize): v128 {
  if (count == 4) return v128.load(at);
  if (count == 1) return v128.load32_zero(at);
  const two = v128.load64_zero(at);
  return count == 2 ? two : v128.load_lane<f32>(at, two, 2, 8);
}

/** Stores the first `count` (1 to 4) lanes, and touches nothing behind them. */
// @ts-ignore: decorator
@inline
export function storePart(at: usize, value: v128, count: usize): void {
  if (count == 4) {
    v128.store(at, value);
  } else if (count == 1) {
    v128.store_lane<f32>(at, value, 0);
  } else {
    v128.store_lane<i64>(at, value, 0);
    if (count == 3) v128.store_lane<f32>(at, value, 2, 8);
  }
}
