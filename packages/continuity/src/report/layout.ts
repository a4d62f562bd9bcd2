import { type ContributionLayout, shapeSize, type TensorSpec } from '@coppice/protocol';
import { type Binning, groupsIn, watchedOf } from '../reference/binning.ts';
import { SHARE_UNIT, SQUARE_UNIT } from './shares.ts';

/** The arms of a canary whose errors reports tell, in their order there. */
export const guardedArms = ['canary', 'control'] as const;

/** The observations that a report counts at most. */
export const MAX_OBSERVATIONS = 65_536;

/**
 * The layout of a report: measures in [0, 1], so that no participant adds more than 1 to a number of the sum. With W
 * watched histograms, S bins of all of them and K input columns:
 *
 * - `reports`: 1.
 * - `observations`: their number, divided by 65,536 and at most 1.
 * - `present` [W]: 1 where the report has this histogram, 0 where there were too few values.
 * - `inverse` [W]: 1 ÷ the number of values in the histogram; 0 without one.
 * - `shares` [S]: shares of the values, histogram after histogram; each adds up to 1, or is 0.
 * - `squares` [S]: their squares.
 * - `missing` [K], `missing-squares` [K]: the share of observations without this column's value, and its square.
 * - `missing-inverse`: 1 ÷ observations.
 * - `outside` [K], `outside-squares` [K]: the share of the column's values beyond its plausible range, and its square.
 * - `labelled`: 1 where enough outcomes came. `errors`, `errors-square`: their mean error in [0, 1] and its square. `warned`:
 *   1 where a detector on the device warned that errors increased.
 * - `guard-present` [2], `guard-errors` [2], `guard-squares` [2]: of the canary's arm and of the control group; a device has
 *   numbers in its own arm at most: 1 where enough outcomes came since the canary began, their mean error and its square.
 * - `group-present` [G], `group-errors` [G], `group-squares` [G], where the task declares G groups: of each, in the order of
 *   the column's values and "other" last, 1 where enough of the outcomes are of predictions of the group, their mean error and its square.
 *
 * @param identity the hash of the binning or reference (`identityOf`): the layout's hash, which every frame carries, depends on
 *   it, so that no sum mixes reports made with different bins.
 */
export function reportLayout(binning: Binning, identity: string): ContributionLayout {
  const watched = watchedOf(binning);
  const bins = watched.reduce((sum, one) => sum + one.bins, 0);
  const [histograms, inputs] = [[watched.length], [binning.columns.length]];
  const tensor = tensorOf(identity);
  const groups = groupsIn(binning);
  return [
    tensor('reports', [], 1),
    tensor('observations', [], 1 / MAX_OBSERVATIONS),
    tensor('present', histograms, 1),
    tensor('inverse', histograms, SQUARE_UNIT),
    tensor('shares', [bins], SHARE_UNIT),
    tensor('squares', [bins], SQUARE_UNIT),
    tensor('missing', inputs, SHARE_UNIT),
    tensor('missing-squares', inputs, SQUARE_UNIT),
    tensor('missing-inverse', [], SQUARE_UNIT),
    tensor('outside', inputs, SHARE_UNIT),
    tensor('outside-squares', inputs, SQUARE_UNIT),
    tensor('labelled', [], 1),
    tensor('errors', [], SHARE_UNIT),
    tensor('errors-square', [], SQUARE_UNIT),
    tensor('warned', [], 1),
    tensor('guard-present', [guardedArms.length], 1),
    tensor('guard-errors', [guardedArms.length], SHARE_UNIT),
    tensor('guard-squares', [guardedArms.length], SQUARE_UNIT),
    ...(groups === null
      ? []
      : [
          tensor('group-present', [groups.count], 1),
          tensor('group-errors', [groups.count], SHARE_UNIT),
          tensor('group-squares', [groups.count], SQUARE_UNIT),
        ]),
  ];
}

/** Tensors of numbers in [0, 1] that are made with the bins of this hash. */
export function tensorOf(identity: string): (name: string, shape: number[], unit: number) => TensorSpec {
  return (name, shape, unit) => ({
    name,
    shape,
    role: 'measure',
    group: `report-${identity.slice(0, 32)}`,
    unit,
    bound: 1,
    weighted: 'one',
    precision: 'single',
  });
}

/** The numbers of a report by tensor, as views. @throws RangeError where there are more or fewer than the layout has. */
export function tensorsOf(layout: ContributionLayout, numbers: Float32Array): Map<string, Float32Array> {
  const tensors = new Map<string, Float32Array>();
  let at = 0;
  for (const { name, shape } of layout) {
    const size = shapeSize(shape);
    tensors.set(name, numbers.subarray(at, at + size));
    at += size;
  }
  if (at !== numbers.length) throw new RangeError(`a report has ${at} numbers, not ${numbers.length}`);
  return tensors;
}
