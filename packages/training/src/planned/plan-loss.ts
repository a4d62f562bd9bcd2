import { huberLoss, type LossSettings, sigmoid, sigmoidCrossEntropyOf } from '../example-loss.ts';
import type { PlanBuilder, Slot } from './plan.ts';

/** The steps that make the gradient of the outputs, and the mean loss of the last batch. */
export interface PlannedLoss {
  readonly gradient: Slot;
  /** @param at offsets of slots in the complete plan. */
  meanOf(at: (slot: Slot) => number): (rows: number) => number;
}

interface Slots {
  readonly output: Slot;
  readonly labels: Slot;
}

/**
 * Adds the loss to a plan. Softmax and squares are kernels; what is left, one number for an example or an output, is computed
 * here, which costs little beside the layers.
 */
export function planLoss(
  plan: PlanBuilder,
  settings: LossSettings,
  outputs: number,
  slots: Slots,
): PlannedLoss {
  switch (settings.loss) {
    case 'categoricalCrossentropy':
      return planSoftmax(plan, settings, outputs, slots);
    case 'meanSquaredError':
      return planSquares(plan, outputs, slots);
    case 'binaryCrossentropy':
      return planEach(
        plan,
        outputs,
        slots,
        ({ classWeights }, count) => {
          const weightOf = (label: number) => classWeights?.[label] ?? 1;
          return {
            loss: (logit, label) => weightOf(label) * sigmoidCrossEntropyOf(logit, label),
            gradient: (logit, label) => (weightOf(label) * (sigmoid(logit) - label)) / count,
          };
        },
        settings,
      );
    case 'huber':
      return planEach(
        plan,
        outputs,
        slots,
        ({ huberDelta: delta }, count) => ({
          loss: (value, target) => huberLoss(value - target, delta),
          gradient: (value, target) => Math.max(-delta, Math.min(delta, value - target)) / count,
        }),
        settings,
      );
  }
}

function planSquares(plan: PlanBuilder, outputs: number, { output, labels }: Slots): PlannedLoss {
  const gradient = plan.slot(outputs);
  let squares = 0;
  plan.step([output, labels, gradient], (at) => {
    const [z, y, d] = [at(output), at(labels), at(gradient)];
    return (count) => {
      squares = plan.kernels.squaredError(count * outputs, 2 / (count * outputs), z, y, d);
    };
  });
  return { gradient, meanOf: () => (count) => squares / (count * outputs) };
}

function planSoftmax(
  plan: PlanBuilder,
  { classWeights }: LossSettings,
  outputs: number,
  { output, labels }: Slots,
): PlannedLoss {
  const gradient = plan.slot(outputs);
  const sums = plan.kept(2);
  plan.step([output, labels, gradient, sums], (at) => {
    const [z, y, d, s] = [at(output), at(labels), at(gradient), at(sums)];
    return (count) => plan.kernels.softmaxCrossEntropy(count, outputs, 1 / count, z, y, d, s);
  });
  if (classWeights !== null) {
    plan.step([labels, gradient], (at) => {
      const [y, d] = [at(labels), at(gradient)];
      const view = viewed(plan);
      return (count) => {
        const [own, rows] = [view(y, count), view(d, count * outputs)];
        for (let i = 0; i < count; i++) {
          const weight = classWeights[own[i] as number] as number;
          for (let j = i * outputs; j < (i + 1) * outputs; j++) rows[j] = (rows[j] as number) * weight;
        }
      };
    });
  }
  return {
    gradient,
    meanOf(at) {
      const view = viewed(plan);
      const [s, y] = [at(sums), at(labels)];
      // The kernel writes, for each row, the sum whose logarithm minus the next number is the loss.
      return (count) => {
        const [parts, own] = [view(s, 2 * count), classWeights === null ? null : view(y, count)];
        let sum = 0;
        for (let i = 0; i < count; i++) {
          const loss = Math.log(parts[2 * i] as number) - (parts[2 * i + 1] as number);
          sum += own === null ? loss : loss * (classWeights?.[own[i] as number] as number);
        }
        return sum / count;
      };
    },
  };
}

/** Loss and gradient of one output; the gradient is that of the mean. */
interface EachLoss {
  loss(output: number, label: number): number;
  gradient(output: number, label: number): number;
}

function planEach(
  plan: PlanBuilder,
  outputs: number,
  { output, labels }: Slots,
  make: (settings: LossSettings, count: number) => EachLoss,
  settings: LossSettings,
): PlannedLoss {
  const gradient = plan.slot(outputs);
  let total = 0;
  plan.step([output, labels, gradient], (at) => {
    const [z, y, d] = [at(output), at(labels), at(gradient)];
    const view = viewed(plan);
    return (rows) => {
      const count = rows * outputs;
      const [values, targets, into] = [view(z, count), view(y, count), view(d, count)];
      const each = make(settings, count);
      total = 0;
      for (let i = 0; i < count; i++) {
        const [value, target] = [values[i] as number, targets[i] as number];
        total += each.loss(value, target);
        into[i] = each.gradient(value, target);
      }
    };
  });
  return { gradient, meanOf: () => (rows) => total / (rows * outputs) };
}

/** Views of the arena by offset and length, made anew where they differ or the arena has grown. */
function viewed(plan: PlanBuilder): (at: number, n: number) => Float32Array {
  const views = new Map<number, Float32Array>();
  return (at, n) => {
    const known = views.get(at);
    if (known !== undefined && known.length === n) return known;
    const view = plan.floats(at, n);
    views.set(at, view);
    return view;
  };
}
