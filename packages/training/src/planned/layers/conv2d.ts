import { type LayerInfo, notPlanned, type PlanLayer, sizeOf, weightOf } from '../layer.ts';
import type { PlanBuilder, Slot } from '../plan.ts';
import { activationOf } from './activation.ts';
import { addBiasGradient } from './products.ts';
import { type Window, windowOf } from './window.ts';

/**
 * A convolution as a product (im2col): the patches of one picture at a time are laid out as rows, so that they stay in
 * the cache. The backward pass lays them out again, which costs less than storing them.
 */
export function planConv2D(layer: LayerInfo): PlanLayer {
  const dilation = [layer.config['dilationRate']].flat();
  if (dilation.some((rate) => Number(rate ?? 1) !== 1)) notPlanned(layer, 'dilation');
  const window = windowOf(layer, 'kernelSize');
  const { h, w, c, outH, outW } = window;
  const filters = layer.outputShape[2] as number;
  const kernel = weightOf(layer, 'kernel');
  const bias = layer.weights.get('bias');
  const activation = activationOf(layer);
  const [places, seen] = [outH * outW, window.sizeH * window.sizeW * c];
  const [inputs, n] = [h * w * c, sizeOf(layer.outputShape)];
  return (plan, input) => {
    const { kernels } = plan;
    const output = plan.slot(n);
    const laid = laidOut(plan, window);
    plan.step([input, output, ...laid.uses], (at) => {
      const [x, y, lay] = [at(input), at(output), laid.make(at)];
      return (rows) => {
        for (let i = 0; i < rows; i++) {
          const columns = lay(x + 4 * i * inputs);
          kernels.matmul(places, seen, filters, columns, kernel.at, bias?.at ?? 0, y + 4 * i * n);
        }
      };
    });
    activation?.forward(plan, n, filters, output, output);
    return {
      output,
      backward(gradient, wanted) {
        activation?.backward(plan, n, filters, output, gradient);
        const handed = wanted ? handOn(gradient) : null;
        plan.ready(gradient, n);
        const again = laidOut(plan, window);
        plan.descend(kernel, [input, gradient, ...again.uses], ({ at: to, beta }, at) => {
          const [x, d, lay] = [at(input), at(gradient), again.make(at)];
          return (rows) => {
            for (let i = 0; i < rows; i++) {
              const columns = lay(x + 4 * i * inputs);
              const keep = i === 0 ? beta : 1;
              kernels.matmulTransposedA(places, seen, filters, columns, d + 4 * i * n, keep, to);
            }
          };
        });
        if (bias) addBiasGradient(plan, gradient, bias, places, filters);
        return handed;
      },
    };

    function handOn(gradient: Slot): Slot {
      const handed = plan.slot(inputs);
      const [turned, spread] = [plan.slot(0, seen * filters), plan.slot(0, places * seen)];
      plan.step([gradient, handed, turned, spread], (at) => {
        const [d, dx, wt, columns] = [at(gradient), at(handed), at(turned), at(spread)];
        const { sizeH, sizeW, strideH, strideW, top, left } = window;
        return (rows) => {
          kernels.transpose(seen, filters, kernel.at, wt);
          for (let i = 0; i < rows; i++) {
            kernels.matmul(places, filters, seen, d + 4 * i * n, wt, 0, columns);
            kernels.col2im(
              h,
              w,
              c,
              sizeH,
              sizeW,
              strideH,
              strideW,
              top,
              left,
              outH,
              outW,
              columns,
              dx + 4 * i * inputs,
            );
          }
        };
      });
      return handed;
    }
  };
}

/** Lays out one picture's patches; with a kernel of one pixel, the picture is laid out already. */
function laidOut(plan: PlanBuilder, window: Window) {
  const { h, w, c, sizeH, sizeW, strideH, strideW, top, left, outH, outW } = window;
  if (sizeH === 1 && sizeW === 1 && strideH === 1 && strideW === 1) {
    return { uses: [], make: () => (picture: number) => picture };
  }
  const slot = plan.slot(0, outH * outW * sizeH * sizeW * c);
  return {
    uses: [slot],
    make: (at: (slot: Slot) => number) => {
      const columns = at(slot);
      return (picture: number) => {
        plan.kernels.im2col(h, w, c, sizeH, sizeW, strideH, strideW, top, left, outH, outW, picture, columns);
        return columns;
      };
    },
  };
}
