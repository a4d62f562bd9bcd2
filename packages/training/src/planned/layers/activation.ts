import { type LayerInfo, notPlanned, type PlanLayer, sizeOf } from '../layer.ts';
import type { PlanBuilder, Slot } from '../plan.ts';

/** An activation on n numbers an example, in rows of `width`; output and gradients may take the place of inputs. */
interface Activation {
  forward(plan: PlanBuilder, n: number, width: number, x: Slot, y: Slot): void;
  backward(plan: PlanBuilder, n: number, width: number, y: Slot, gradient: Slot): void;
}

const elementwise = (name: 'relu' | 'sigmoid' | 'tanh'): Activation => {
  const gradientName = `${name}Gradient` as const;
  return {
    forward(plan, n, _, x, y) {
      plan.step([x, y], (at) => {
        const [from, to, kernel] = [at(x), at(y), plan.kernels[name]];
        return (rows) => kernel(rows * n, from, to);
      });
    },
    backward(plan, n, _, y, gradient) {
      plan.step([y, gradient], (at) => {
        const [out, d, kernel] = [at(y), at(gradient), plan.kernels[gradientName]];
        return (rows) => kernel(rows * n, out, d, d);
      });
    },
  };
};

const softmax: Activation = {
  forward(plan, n, width, x, y) {
    plan.step([x, y], (at) => {
      const [from, to] = [at(x), at(y)];
      return (rows) => plan.kernels.softmax((rows * n) / width, width, from, to);
    });
  },
  backward(plan, n, width, y, gradient) {
    plan.step([y, gradient], (at) => {
      const [out, d] = [at(y), at(gradient)];
      return (rows) => plan.kernels.softmaxGradient((rows * n) / width, width, out, d, d);
    });
  },
};

const activations: Readonly<Record<string, Activation>> = {
  relu: elementwise('relu'),
  sigmoid: elementwise('sigmoid'),
  tanh: elementwise('tanh'),
  softmax,
};

/**
 * The activation that a layer ends with; null for linear, and for the softmax or sigmoid that is left to the loss.
 *
 * @throws NotPlanned
 */
export function activationOf(layer: LayerInfo): Activation | null {
  const written = layer.config['activation'];
  const name = written === undefined || written === null ? 'linear' : String(written);
  if (name === 'linear' || layer.isHead) return null;
  return activations[name] ?? notPlanned(layer, `no kernel for the activation ${name}`);
}

/** Activation, ReLU and Softmax as separate layers: into a slot of their own, since their input may still be needed. */
export function planActivation(layer: LayerInfo): PlanLayer {
  const activation = named(layer);
  const n = sizeOf(layer.outputShape);
  const width = layer.outputShape.at(-1) ?? 1;
  return (plan, input) => {
    if (activation === null) return { output: input, backward: (gradient) => gradient };
    const output = plan.slot(n);
    activation.forward(plan, n, width, input, output);
    return {
      output,
      backward(gradient, wanted) {
        if (!wanted) return null;
        activation.backward(plan, n, width, output, gradient);
        return gradient;
      },
    };
  };
}

function named(layer: LayerInfo): Activation | null {
  if (layer.className === 'Activation') return activationOf(layer);
  if (layer.className === 'ReLU') {
    if (typeof layer.config['maxValue'] === 'number') notPlanned(layer, 'no kernel for a bounded ReLU');
    return activations['relu'] as Activation;
  }
  if (layer.isHead) return null;
  const axis = layer.config['axis'];
  if (axis !== undefined && axis !== null && axis !== -1 && axis !== layer.outputShape.length) {
    notPlanned(layer, 'softmax along another axis than the last');
  }
  return softmax;
}
