import type { Layout, TensorSpec } from '@coppice/protocol';

/** The unit of sums of weighted changes: |weight · Δ| up to 2³³ is exact to 2⁻³⁷. */
export const STEP_UNIT = 2 ** -36;

/** The group that a model's own changes travel in. */
export const MODEL_GROUP = 'model';

/** A model's changes as a group of a contribution: steps where it is trained, averages where it is measured, nothing where it is frozen. */
export function modelGroup(
  layout: Layout,
  {
    group = MODEL_GROUP,
    weighted = 'weight',
    bound,
  }: { group?: string; weighted?: TensorSpec['weighted']; bound: number | null },
): TensorSpec[] {
  return layout.map(({ name, shape, trainable, frozen = false }) => ({
    name,
    shape: [...shape],
    role: trainable ? 'step' : frozen ? 'frozen' : 'average',
    group,
    unit: STEP_UNIT,
    bound,
    weighted,
    precision: 'single',
  }));
}
