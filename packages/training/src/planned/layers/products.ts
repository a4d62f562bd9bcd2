import type { PlanBuilder, Slot, Weight } from '../plan.ts';

/** Number of rows from which transposing the matrix once is cheaper than multiplying by it row by row. */
const MANY_ROWS = 64;

/** Adds dx ← dy · Wᵀ for W [inputs, units], with `perExample` rows an example. @returns The slot of dx. */
export function handOn(
  plan: PlanBuilder,
  gradient: Slot,
  weight: Weight,
  perExample: number,
  inputs: number,
  units: number,
): Slot {
  const { kernels } = plan;
  const handed = plan.slot(perExample * inputs);
  if (plan.rows * perExample < MANY_ROWS) {
    plan.step([gradient, handed], (at) => {
      const [d, dx] = [at(gradient), at(handed)];
      return (rows) => kernels.matmulTransposedB(rows * perExample, units, inputs, d, weight.at, dx);
    });
    return handed;
  }
  const transposed = plan.slot(0, inputs * units);
  plan.step([gradient, handed, transposed], (at) => {
    const [d, dx, turned] = [at(gradient), at(handed), at(transposed)];
    return (rows) => {
      kernels.transpose(inputs, units, weight.at, turned);
      kernels.matmul(rows * perExample, units, inputs, d, turned, 0, dx);
    };
  });
  return handed;
}

/** Adds the update of a bias: the column sums of the gradient, which is ready. */
export function addBiasGradient(
  plan: PlanBuilder,
  gradient: Slot,
  bias: Weight,
  perExample: number,
  units: number,
): void {
  plan.descend(bias, [gradient], ({ at: to, beta }, at) => {
    const d = at(gradient);
    return (rows) => plan.kernels.columnSums(rows * perExample, units, d, beta, to);
  });
}
