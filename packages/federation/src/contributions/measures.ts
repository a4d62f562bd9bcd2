import {
  type ContributionLayout,
  CoppiceError,
  shapeSize,
  type TensorSpec,
  tensorSize,
} from '@coppice/protocol';

/** Numbers of measures by tensor name, each as long as its tensor's shape says. */
export type Measures = ReadonlyMap<string, Float64Array>;

/** The measures among the tensors of a layout, in order. */
export function measuresOf(layout: ContributionLayout): TensorSpec[] {
  return layout.filter(({ role }) => role === 'measure');
}

/**
 * Measures as the float32 numbers that travel: a `double` as two limbs, hi = float32(x) and lo = float32(x − hi).
 *
 * @throws RangeError where a tensor is missing or has another length.
 */
export function encodeMeasures(tensors: readonly TensorSpec[], measures: Measures): Float32Array {
  const numbers = new Float32Array(tensors.reduce((sum, tensor) => sum + tensorSize(tensor), 0));
  let at = 0;
  for (const tensor of tensors) {
    const values = measures.get(tensor.name);
    const length = shapeSize(tensor.shape);
    if (values?.length !== length)
      throw new RangeError(`the measure ${tensor.name} has ${values?.length ?? 'no'} values, not ${length}`);
    for (let i = 0; i < length; i++) {
      const high = Math.fround(values[i] as number);
      numbers[at + i] = high;
      if (tensor.precision === 'double') numbers[at + length + i] = (values[i] as number) - high;
    }
    at += tensorSize(tensor);
  }
  return numbers;
}

/**
 * Measures from the float32 numbers that came.
 *
 * @throws CoppiceError `update-not-finite` or `update-measure` where a number is not finite or is beyond its bound.
 */
export function decodeMeasures(tensors: readonly TensorSpec[], numbers: Float32Array): Measures {
  const measures = new Map<string, Float64Array>();
  let at = 0;
  for (const tensor of tensors) {
    const length = shapeSize(tensor.shape);
    const values = new Float64Array(length);
    for (let i = 0; i < length; i++) {
      const low = tensor.precision === 'double' ? (numbers[at + length + i] as number) : 0;
      const value = (numbers[at + i] as number) + low;
      if (!Number.isFinite(value))
        throw new CoppiceError(
          'update-not-finite',
          `The measure "${tensor.name}" of the update is ${value}. A measurement that is not a number is left out on the device.`,
        );
      if (tensor.bound !== null && Math.abs(value) > tensor.bound)
        throw new CoppiceError(
          'update-measure',
          `The measure "${tensor.name}" of the update is ${value}; one participant may add ${tensor.bound} at most.`,
        );
      values[i] = value;
    }
    measures.set(tensor.name, values);
    at += tensorSize(tensor);
  }
  return measures;
}
