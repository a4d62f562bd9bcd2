import { type LayerInfo, notPlanned, type PlanLayer, sizeOf, weightOf } from '../layer.ts';

/**
 * Batch normalization over the last axis. Where gradients are computed, it uses the batch's own mean and variance,
 * which in training update the moving ones; otherwise it uses the moving ones. A frozen layer always uses the moving
 * ones.
 */
export function planBatchNorm(layer: LayerInfo): PlanLayer {
  const { config, inputShape } = layer;
  const axis = Number(config['axis'] ?? -1);
  if (axis !== -1 && axis !== inputShape.length) notPlanned(layer, 'another axis than the last');
  // tfjs itself can train with both only.
  if (!layer.weights.has('gamma') || !layer.weights.has('beta')) notPlanned(layer, 'no scale or no shift');
  const [gamma, beta] = [weightOf(layer, 'gamma'), weightOf(layer, 'beta')];
  const [keptMean, keptVariance] = [weightOf(layer, 'moving_mean'), weightOf(layer, 'moving_variance')];
  const epsilon = Number(config['epsilon']);
  const change = 1 - Number(config['momentum']);
  const n = sizeOf(inputShape);
  const c = inputShape.at(-1) as number;
  const perExample = n / c;
  const frozen = !gamma.trainable && !beta.trainable;
  return (plan, input, mode) => {
    const { kernels } = plan;
    const output = plan.slot(n);
    if (mode === 'ask' || frozen) {
      plan.step([input, output], (at) => {
        const [x, y] = [at(input), at(output)];
        const [mean, variance] = [keptMean.at, keptVariance.at];
        return (rows) =>
          kernels.normalize(rows * perExample, c, epsilon, x, mean, variance, gamma.at, beta.at, y);
      });
      if (mode === 'ask') return { output, backward: (gradient) => gradient };
      return {
        output,
        backward(gradient, wanted) {
          if (!wanted) return null;
          const [unused, zero] = [plan.slot(0, c), plan.slot(0, c)];
          plan.step([gradient, unused, zero], (at) => {
            const [d, none, zeros] = [at(gradient), at(unused), at(zero)];
            return (rows) => {
              // The variance of one row.
              kernels.columnMoments(1, c, gamma.at, none, zeros);
              // dx = dy · γ / √(variance + ε).
              kernels.normalize(rows * perExample, c, epsilon, d, zeros, keptVariance.at, gamma.at, zeros, d);
            };
          });
          return gradient;
        },
      };
    }
    const [batchMean, batchVariance] = [plan.slot(0, c), plan.slot(0, c)];
    plan.step([input, output, batchMean, batchVariance], (at) => {
      const [x, y, mean, variance] = [at(input), at(output), at(batchMean), at(batchVariance)];
      return (rows) => {
        kernels.columnMoments(rows * perExample, c, x, mean, variance);
        kernels.normalize(rows * perExample, c, epsilon, x, mean, variance, gamma.at, beta.at, y);
        if (mode !== 'train') return;
        // kept ← kept − change · (kept − the batch's).
        kernels.pull(c, change, mean, keptMean.at);
        kernels.pull(c, change, variance, keptVariance.at);
      };
    });
    return {
      output,
      backward(gradient, wanted) {
        if (!wanted && !gamma.trainable && !beta.trainable) return null;
        const [dGamma, dBeta] = [plan.slot(0, c), plan.slot(0, c)];
        plan.step([input, batchMean, batchVariance, gradient, dGamma, dBeta], (at) => {
          const [x, mean, variance, d] = [at(input), at(batchMean), at(batchVariance), at(gradient)];
          const [g, b] = [at(dGamma), at(dBeta)];
          return (rows) =>
            kernels.normalizeGradient(rows * perExample, c, epsilon, x, mean, variance, gamma.at, d, g, b, d);
        });
        plan.ready(dGamma, 0, c);
        plan.ready(dBeta, 0, c);
        plan.descend(gamma, [dGamma], ({ at: to, beta: keep }, at) => {
          const g = at(dGamma);
          return () => kernels.columnSums(1, c, g, keep, to);
        });
        plan.descend(beta, [dBeta], ({ at: to, beta: keep }, at) => {
          const b = at(dBeta);
          return () => kernels.columnSums(1, c, b, keep, to);
        });
        return wanted ? gradient : null;
      },
    };
  };
}
