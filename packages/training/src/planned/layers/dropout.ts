import { alea } from '../alea.ts';
import { type LayerInfo, notPlanned, type PlanLayer, sizeOf } from '../layer.ts';
import { planReshape } from './reshape.ts';

/** x · mask with a mask of 0 and 1 / (1 − rate), the same one that tfjs draws from the same seed. */
export function planDropout(layer: LayerInfo): PlanLayer {
  const rate = Number(layer.config['rate']);
  if (!Array.isArray(layer.config['noiseShape']) && layer.config['noiseShape'] != null)
    notPlanned(layer, 'a noise shape that is no list');
  if (Array.isArray(layer.config['noiseShape'])) notPlanned(layer, 'a noise shape');
  if (!(rate > 0 && rate < 1)) return planReshape(layer);
  const { nextSeed } = layer;
  if (nextSeed === null) throw new Error(`${layer.name} draws, and was given no seed`);
  const n = sizeOf(layer.outputShape);
  return (plan, input, mode) => {
    if (mode !== 'train') return { output: input, backward: (gradient) => gradient };
    const { kernels } = plan;
    const [mask, output] = [plan.slot(n), plan.slot(n)];
    plan.step([input, mask, output], (at) => {
      const [x, m, y] = [at(input), at(mask), at(output)];
      return (rows) => {
        drawMask(plan.floats(m, rows * n), rate, nextSeed());
        kernels.multiply(rows * n, x, m, y);
      };
    });
    return {
      output,
      backward(gradient, wanted) {
        if (!wanted) return null;
        plan.step([gradient, mask], (at) => {
          const [d, m] = [at(gradient), at(mask)];
          return (rows) => kernels.multiply(rows * n, d, m, d);
        });
        return gradient;
      },
    };
  };
}

/** `tf.dropout` of tfjs 4.22: floor(u + keep) / keep with u uniform on [0, 1), every step rounded to float32. */
export function drawMask(mask: Float32Array, rate: number, seed: number): void {
  const draw = alea(String(seed));
  const keep = 1 - rate;
  const kept = Math.fround(1 / Math.fround(keep));
  for (let i = 0; i < mask.length; i++) {
    mask[i] = Math.fround(Math.fround(draw()) + Math.fround(keep)) >= 1 ? kept : 0;
  }
}
