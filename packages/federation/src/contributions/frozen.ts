import { type Section, shapeSize } from '@coppice/protocol';
import { finish, STEP_PARAMETERS, type Steps } from '../steps.ts';

/** Removes the frozen tensors of a section from a vector; returns the vector itself where none is frozen. */
export function withoutFrozen(values: Float32Array, section: Section): Float32Array {
  if (!hasFrozen(section)) return values;
  const moving = new Float32Array(section.parameters);
  for (const { from, to, size } of movingParts(section)) moving.set(values.subarray(from, from + size), to);
  return moving;
}

/** Restores a section's frozen tensors as zeros; returns the vector itself where none is frozen. */
export function withFrozen<V extends Float32Array | Float64Array>(values: V, section: Section): V {
  return finish(withFrozenInSteps(values, section));
}

/** The same, a piece of the model at a time. */
export function* withFrozenInSteps<V extends Float32Array | Float64Array>(
  values: V,
  section: Section,
): Steps<V> {
  if (!hasFrozen(section)) return values;
  const length = section.tensors.reduce((sum, { shape }) => sum + shapeSize(shape), 0);
  const whole = (values instanceof Float32Array ? new Float32Array(length) : new Float64Array(length)) as V;
  for (const { from, to, size } of movingParts(section)) {
    if (to > 0 && to % STEP_PARAMETERS === 0) yield;
    whole.set(values.subarray(to, to + size), from);
  }
  return whole;
}

function hasFrozen({ tensors }: Section): boolean {
  return tensors.some(({ role }) => role === 'frozen');
}

/**
 * The parts that travel: their place in the whole vector, their place without frozen ones, their size. They are cut
 * where a piece of what travels ends.
 */
function* movingParts({ tensors }: Section): Generator<{ from: number; to: number; size: number }> {
  let from = 0;
  let to = 0;
  for (const { shape, role } of tensors) {
    const end = from + shapeSize(shape);
    if (role === 'frozen') from = end;
    while (from < end) {
      const size = Math.min(end - from, STEP_PARAMETERS - (to % STEP_PARAMETERS));
      yield { from, to, size };
      from += size;
      to += size;
    }
  }
}
