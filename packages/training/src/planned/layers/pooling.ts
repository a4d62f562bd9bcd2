import { type LayerInfo, notPlanned, type PlanLayer } from '../layer.ts';
import { type Window, windowOf } from './window.ts';

/** The largest number of each window. */
export function planMaxPooling(layer: LayerInfo): PlanLayer {
  const window = windowOf(layer, 'poolSize');
  const { h, w, c, sizeH, sizeW, strideH, strideW, top, left, outH, outW } = window;
  const [inputs, n] = [h * w * c, outH * outW * c];
  return (plan, input) => {
    const { kernels } = plan;
    const [output, places] = [plan.slot(n), plan.slot(n)];
    plan.step([input, output, places], (at) => {
      const [x, y, p] = [at(input), at(output), at(places)];
      return (rows) => {
        for (let i = 0; i < rows; i++) {
          kernels.maxPool(
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
            x + 4 * i * inputs,
            y + 4 * i * n,
            p + 4 * i * n,
          );
        }
      };
    });
    return {
      output,
      backward(gradient, wanted) {
        if (!wanted) return null;
        const handed = plan.slot(inputs);
        plan.step([gradient, places, handed], (at) => {
          const [d, p, dx] = [at(gradient), at(places), at(handed)];
          return (rows) => {
            for (let i = 0; i < rows; i++) {
              const [from, to] = [4 * i * n, dx + 4 * i * inputs];
              kernels.maxPoolGradient(inputs, c, outH * outW, d + from, p + from, to);
            }
          };
        });
        return handed;
      },
    };
  };
}

/** The mean of each window. */
export function planAveragePooling(layer: LayerInfo): PlanLayer {
  const window = windowOf(layer, 'poolSize');
  // tfjs divides by what is in the window going forward, and by the window's size going back.
  if (window.padded) notPlanned(layer, 'windows that reach over the edge');
  return averaging(window);
}

/** The mean of each channel over the whole picture. */
export function planGlobalAverage(layer: LayerInfo): PlanLayer {
  const [h, w, c] = layer.inputShape as [number, number, number];
  const none = { strideH: 1, strideW: 1, top: 0, left: 0, outH: 1, outW: 1, padded: false };
  return averaging({ h, w, c, sizeH: h, sizeW: w, ...none });
}

function averaging({ h, w, c, sizeH, sizeW, strideH, strideW, outH, outW }: Window): PlanLayer {
  const [inputs, n] = [h * w * c, outH * outW * c];
  return (plan, input) => {
    const { kernels } = plan;
    const output = plan.slot(n);
    plan.step([input, output], (at) => {
      const [x, y] = [at(input), at(output)];
      return (rows) => {
        for (let i = 0; i < rows; i++) {
          const [from, to] = [x + 4 * i * inputs, y + 4 * i * n];
          kernels.averagePool(w, c, sizeH, sizeW, strideH, strideW, outH, outW, from, to);
        }
      };
    });
    return {
      output,
      backward(gradient, wanted) {
        if (!wanted) return null;
        const handed = plan.slot(inputs);
        plan.step([gradient, handed], (at) => {
          const [d, dx] = [at(gradient), at(handed)];
          return (rows) => {
            for (let i = 0; i < rows; i++) {
              const [from, to] = [d + 4 * i * n, dx + 4 * i * inputs];
              kernels.averagePoolGradient(h, w, c, sizeH, sizeW, strideH, strideW, outH, outW, from, to);
            }
          };
        });
        return handed;
      },
    };
  };
}
