import type { MonitorState } from '../monitor/state.ts';
import type { Binning } from '../reference/binning.ts';
import { guardedArms, MAX_OBSERVATIONS, reportLayout, tensorsOf } from './layout.ts';
import { inverseOf, rounded, SHARE_UNIT, sharesOf, squareOf } from './shares.ts';

/** The fewest observations of which anything leaves a device. A task may ask for more. */
export const MINIMUM_COUNT = 10;

/**
 * A device's report of a period, by `reportLayout`. A histogram of fewer values than `minimum`, and a mean error of fewer
 * outcomes, in the period, of a group or since a canary began, is left out.
 *
 * @param minimum at least 1.
 * @returns `null` where there are fewer observations than `minimum`: nothing leaves the device.
 */
export function summarise(
  state: MonitorState,
  binning: Binning,
  minimum: number = MINIMUM_COUNT,
): Float32Array | null {
  const { observations, counts, missing, outside } = state;
  if (observations < minimum) return null;
  const layout = reportLayout(binning, state.identity);
  const numbers = new Float32Array(layout.reduce((sum, { shape }) => sum + (shape[0] ?? 1), 0));
  const tensors = tensorsOf(layout, numbers);
  const put = (name: string, at: number, value: number) => {
    (tensors.get(name) as Float32Array)[at] = value;
  };
  const share = (name: string, squares: string, at: number, value: number) => {
    const whole = rounded(value, SHARE_UNIT);
    put(name, at, whole);
    put(squares, at, squareOf(whole));
  };
  put('reports', 0, 1);
  put('observations', 0, Math.min(observations, MAX_OBSERVATIONS) / MAX_OBSERVATIONS);
  put('missing-inverse', 0, inverseOf(observations));
  let at = 0;
  for (const [i, bins] of counts.entries()) {
    const values = bins.reduce((sum, one) => sum + one, 0);
    const present = values >= minimum;
    if (present) {
      put('present', i, 1);
      put('inverse', i, inverseOf(values));
      for (const [bin, one] of sharesOf(bins).entries()) share('shares', 'squares', at + bin, one);
    }
    if (i < missing.length) {
      share('missing', 'missing-squares', i, (missing[i] as number) / observations);
      if (present) share('outside', 'outside-squares', i, (outside[i] as number) / values);
    }
    at += bins.length;
  }
  const { guard } = state;
  if (guard !== null && guard.labelled >= minimum) {
    const arm = guardedArms.indexOf(guard.arm);
    put('guard-present', arm, 1);
    share('guard-errors', 'guard-squares', arm, guard.errors / guard.labelled);
  }
  if (state.labelled < minimum) return numbers;
  put('labelled', 0, 1);
  share('errors', 'errors-square', 0, state.errors / state.labelled);
  put('warned', 0, state.warned ? 1 : 0);
  for (const [group, { labelled, errors }] of (state.groups ?? []).entries()) {
    if (labelled < minimum) continue;
    put('group-present', group, 1);
    share('group-errors', 'group-squares', group, errors / labelled);
  }
  return numbers;
}
