import { type Layout, layoutSize, shapeSize } from '@coppice/protocol';
import type { GivenTensor } from './given-tensor.ts';
import { quoted, weightsInvalid } from './weights-invalid.ts';

/** The most names in one message. */
const MOST_NAMED = 5;

/**
 * Puts given weights in the order of a model's layout.
 *
 * @returns the flat vector of all weights, in new memory.
 * @throws CoppiceError `weights-invalid` where a weight of the model is missing, a given one is left over or is there
 *   twice, a shape differs, or a number is not finite.
 */
export function fitWeights(layout: Layout, given: readonly GivenTensor[]): Float32Array<ArrayBuffer> {
  const left = new Map(given.map((tensor) => [tensor.name, tensor]));
  if (left.size < given.length) {
    const seen = new Set<string>();
    const twice = given.find(({ name }) => seen.size === seen.add(name).size);
    throw weightsInvalid(`${quoted(twice?.name ?? '')} is there twice`);
  }
  const missing = layout.filter(({ name }) => !left.has(name)).map(({ name }) => name);
  const fitting = new Set(layout.map(({ name }) => name));
  const over = given.filter(({ name }) => !fitting.has(name)).map(({ name }) => name);
  if (missing.length > 0 || over.length > 0) {
    const faults = [
      ...(missing.length > 0 ? [`the model has ${named(missing)}, which are not among them`] : []),
      ...(over.length > 0 ? [`${named(over)} are no weights of the model`] : []),
    ];
    throw weightsInvalid(`${faults.join(', and ')}. Give the weights of the same model`);
  }
  const weights = new Float32Array(layoutSize(layout));
  let at = 0;
  for (const { name, shape } of layout) {
    const tensor = left.get(name) as GivenTensor;
    if (tensor.shape.join() !== shape.join() || tensor.values.length !== shapeSize(shape))
      throw weightsInvalid(
        `${quoted(name)} has the shape [${tensor.shape.join(', ')}], the model's has [${shape.join(', ')}]`,
      );
    const { values } = tensor;
    for (let i = 0; i < values.length; i++)
      if (!Number.isFinite(values[i]))
        throw weightsInvalid(`${quoted(name)} has a number that is not finite in float32, the ${i + 1}th`);
    weights.set(values, at);
    at += values.length;
  }
  return weights;
}

/** A model's weights by name, in the memory of the flat vector. */
export function tensorsOf(layout: Layout, weights: Float32Array): GivenTensor[] {
  let at = 0;
  return layout.map(({ name, shape }) => {
    const from = at;
    at += shapeSize(shape);
    return { name, shape, values: weights.subarray(from, at) };
  });
}

function named(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMED).map(quoted).join(', ');
  return names.length > MOST_NAMED ? `${shown} and ${names.length - MOST_NAMED} more` : shown;
}
