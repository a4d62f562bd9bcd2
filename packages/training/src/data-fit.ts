import { classesOf, type DataSchema, exampleSize } from '@coppice/protocol';

/* What a model must look like to fit data of a kind. Here, tfjs is not needed. */

/** Input shapes that hold one example without moving a number. */
export function fittingShapes(data: DataSchema): number[][] {
  if (data.kind === 'table') return [[data.features.length]];
  const whole = [data.height, data.width, data.channels];
  return [[exampleSize(data)], whole, ...(data.channels === 1 ? [[data.height, data.width]] : [])];
}

/** How many numbers a model must put out, and why. */
export function outputsFor(data: DataSchema): { size: number; why: string } {
  const classes = classesOf(data);
  if (classes) return { size: classes.length, why: `a choice among ${classes.length} classes` };
  return { size: 1, why: 'one number to predict' };
}

/** Whether a number is to be predicted, rather than a class. */
export function isRegression(data: DataSchema): boolean {
  return data.kind === 'table' && data.target.kind === 'number';
}

/** Whether a layer that makes a model's output ends in the softmax that is left to the loss. */
export function endsInSoftmax(className: string, config: Readonly<Record<string, unknown>>): boolean {
  if (className === 'Softmax') return true;
  return (className === 'Dense' || className === 'Activation') && config['activation'] === 'softmax';
}
