/**
 * Tick positions from 0 up to at least `max`, at steps of 1, 2 or 5 times a power of ten.
 *
 * @param unit the unit of the numbers, in which steps are round, e.g. 1,000 for kilobytes.
 */
export function niceTicks(max: number, count: number, unit = 1): number[] {
  if (!(max > 0)) return [0];
  const rough = max / unit / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power * unit;
  const ticks: number[] = [];
  for (let k = 0; ticks.length === 0 || ticks.at(-1)! < max; k++) ticks.push(k * step);
  return ticks;
}
