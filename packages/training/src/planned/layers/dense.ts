import { type LayerInfo, type PlanLayer, sizeOf, weightOf } from '../layer.ts';
import { activationOf } from './activation.ts';
import { addBiasGradient, handOn } from './products.ts';

/** y = activation(x · W + b), over the last axis; other axes count as rows. */
export function planDense(layer: LayerInfo): PlanLayer {
  const inputs = layer.inputShape.at(-1) as number;
  const units = layer.outputShape.at(-1) as number;
  const perExample = sizeOf(layer.outputShape) / units;
  const kernel = weightOf(layer, 'kernel');
  const bias = layer.weights.get('bias');
  const activation = activationOf(layer);
  const n = perExample * units;
  return (plan, input) => {
    const { kernels } = plan;
    const output = plan.slot(n);
    plan.step([input, output], (at) => {
      const [x, y] = [at(input), at(output)];
      return (rows) => kernels.matmul(rows * perExample, inputs, units, x, kernel.at, bias?.at ?? 0, y);
    });
    activation?.forward(plan, n, units, output, output);
    return {
      output,
      backward(gradient, wanted) {
        activation?.backward(plan, n, units, output, gradient);
        // Before the weights change: the gradient is theirs as they were.
        const handed = wanted ? handOn(plan, gradient, kernel, perExample, inputs, units) : null;
        plan.ready(gradient, n);
        plan.descend(kernel, [input, gradient], ({ at: to, beta }, at) => {
          const [x, d] = [at(input), at(gradient)];
          return (rows) => kernels.matmulTransposedA(rows * perExample, inputs, units, x, d, beta, to);
        });
        if (bias) addBiasGradient(plan, gradient, bias, perExample, units);
        return handed;
      },
    };
  };
}
