import { type Binning, groupsIn, watchedOf } from '../reference/binning.ts';
import { guardedArms } from './layout.ts';
import { measuredOf } from './statistics-layout.ts';
import { countOf, type Sums } from './sums.ts';

/**
 * Sums without the numbers that fewer participants than `fewest` have in them: a histogram with its moments and its share of
 * implausible values, the errors, those of a group, and those of an arm of a canary are 0 there, as if nobody had them. The sum of one device's histogram is that
 * histogram.
 *
 * @param fewest at least 1.
 */
export function withheld(sums: Sums, binning: Binning, fewest: number): Map<string, Float64Array> {
  const kept = new Map([...sums].map(([name, values]) => [name, values.slice()]));
  const erase = (names: readonly string[], from: number, to = from + 1) => {
    for (const name of names) kept.get(name)?.fill(0, from, to);
  };
  for (const [i, { role, at, bins }] of watchedOf(binning).entries()) {
    if (countOf(sums, 'present', 1, i) >= fewest) continue;
    erase(['present', 'inverse'], i);
    erase(['shares', 'squares'], at, at + bins);
    if (role === 'input') erase(['outside', 'outside-squares'], i);
  }
  const [labels, moments] = [countOf(sums, 'label-present'), ['means', 'mean-squares']];
  if (labels < fewest) {
    erase(['label-present', 'label-inverse'], 0);
    erase(['label-shares', 'label-squares'], 0, Number.POSITIVE_INFINITY);
  }
  for (const [i, { column }] of measuredOf(binning).entries())
    if ((column === null ? labels : countOf(sums, 'present', 1, column)) < fewest) erase(moments, i);
  if (countOf(sums, 'labelled') < fewest) erase(['labelled', 'errors', 'errors-square', 'warned'], 0);
  for (const arm of guardedArms.keys())
    if (countOf(sums, 'guard-present', 1, arm) < fewest)
      erase(['guard-present', 'guard-errors', 'guard-squares'], arm);
  for (let group = 0; group < (groupsIn(binning)?.count ?? 0); group++)
    if (countOf(sums, 'group-present', 1, group) < fewest)
      erase(['group-present', 'group-errors', 'group-squares'], group);
  return kept;
}
