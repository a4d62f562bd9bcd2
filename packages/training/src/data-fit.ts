import { classesOf, type DataSchema, inputSize } from '@coppice/protocol';

/* Requirements of a data schema on models. This module does not need tfjs. */

/** Input shapes that hold one example without reordering its numbers. */
export function fittingShapes(data: DataSchema): number[][] {
  if (data.kind === 'table') return [[inputSize(data)]];
  const whole = [data.height, data.width, data.channels];
  return [[inputSize(data)], whole, ...(data.channels === 1 ? [[data.height, data.width]] : [])];
}

/** Required number of a model's outputs, with the reason. */
export function outputsFor(data: DataSchema): { size: number; why: string } {
  const classes = classesOf(data);
  if (classes) return { size: classes.length, why: `a choice among ${classes.length} classes` };
  return { size: 1, why: 'one number to predict' };
}

/** Checks that a task predicts a number, not a class. */
export function isRegression(data: DataSchema): boolean {
  return data.kind === 'table' && data.target.kind === 'number';
}

/** Checks that an output layer ends in a softmax, which is left to the loss. */
export function endsInSoftmax(className: string, config: Readonly<Record<string, unknown>>): boolean {
  if (className === 'Softmax') return true;
  return (className === 'Dense' || className === 'Activation') && config['activation'] === 'softmax';
}
