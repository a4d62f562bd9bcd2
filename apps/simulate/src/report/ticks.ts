/**
 * Ticks at steps of 1, 2 or 5 times a power of ten that enclose `min` and `max`, about `count` of them.
 * A range without width is widened, so there are always at least two.
 */
export function ticksAround(min: number, max: number, count: number): readonly number[] {
  const width = max > min ? max - min : Math.abs(max) || 1;
  const step = niceStep(width / count);
  const first = Math.floor(min / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(max / step - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, index) => rounded((first + index) * step, step));
}

/** Whole numbers from `first` to `last` at a round step, at most about `count`; never past the ends. */
export function wholeTicks(first: number, last: number, count: number): readonly number[] {
  const step = Math.max(1, niceStep((last - first) / count));
  const ticks: number[] = [];
  for (let tick = Math.ceil(first / step) * step; tick <= last; tick += step) ticks.push(tick);
  return ticks;
}

function niceStep(rough: number): number {
  if (!(rough > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  return ([1, 2, 5, 10].find((factor) => factor * power >= rough * (1 - 1e-9)) ?? 10) * power;
}

/** Removes the rounding error of added floats: 0.30000000000000004 → 0.3. */
function rounded(value: number, step: number): number {
  const digits = Math.max(0, Math.min(20, 1 - Math.floor(Math.log10(step))));
  return Number(value.toFixed(digits));
}
