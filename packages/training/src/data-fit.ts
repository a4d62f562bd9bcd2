import { classesOf, type DataSchema, inputSize, type Loss, targetSize } from '@coppice/protocol';

/* Requirements of a data schema on models. This module does not need tfjs. */

/** Input shapes that hold one example without reordering its numbers. */
export function fittingShapes(data: DataSchema): number[][] {
  if (data.kind === 'table') return [[inputSize(data)]];
  const whole = [data.height, data.width, data.channels];
  return [[inputSize(data)], whole, ...(data.channels === 1 ? [[data.height, data.width]] : [])];
}

/** Required number of a model's outputs, with the reason. */
export function outputsFor(data: DataSchema, loss: Loss): { size: number; why: string } {
  const classes = classesOf(data);
  if (classes && loss === 'binaryCrossentropy')
    return { size: 1, why: 'the probability of the second of two classes (binaryCrossentropy)' };
  if (classes) return { size: classes.length, why: `a choice among ${classes.length} classes` };
  const size = targetSize(data);
  return { size, why: size === 1 ? 'one number to predict' : `${size} numbers to predict` };
}

/** Checks that a task predicts numbers, not a class. */
export function isRegression(data: DataSchema): boolean {
  return classesOf(data) === null;
}

/** Checks that a loss is one of numbers. */
export function isLossOfNumbers(loss: Loss): boolean {
  return loss === 'meanSquaredError' || loss === 'huber';
}

/** The activation that a loss takes over from the last layer, so that it is computed from logits: stable. */
export function headOf(loss: Loss): 'softmax' | 'sigmoid' | null {
  return {
    categoricalCrossentropy: 'softmax',
    binaryCrossentropy: 'sigmoid',
    meanSquaredError: null,
    huber: null,
  }[loss] as 'softmax' | 'sigmoid' | null;
}

/** Checks that an output layer ends in the activation that is left to the loss. */
export function endsInHead(
  loss: Loss,
  className: string,
  config: Readonly<Record<string, unknown>>,
): boolean {
  const head = headOf(loss);
  if (head === null) return false;
  if (head === 'softmax') return endsInSoftmax(className, config);
  return (className === 'Dense' || className === 'Activation') && config['activation'] === head;
}

/** Checks that an output layer ends in a softmax, which is left to the loss. */
function endsInSoftmax(className: string, config: Readonly<Record<string, unknown>>): boolean {
  if (className === 'Softmax') return true;
  return (className === 'Dense' || className === 'Activation') && config['activation'] === 'softmax';
}
