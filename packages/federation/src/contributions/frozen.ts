import { type Section, shapeSize } from '@coppice/protocol';

/** Removes the frozen tensors of a section from a vector; returns the vector itself where none is frozen. */
export function withoutFrozen(values: Float32Array, section: Section): Float32Array {
  if (!hasFrozen(section)) return values;
  const moving = new Float32Array(section.parameters);
  eachMoving(section, (from, to, size) => moving.set(values.subarray(from, from + size), to));
  return moving;
}

/** Restores a section's frozen tensors as zeros; returns the vector itself where none is frozen. */
export function withFrozen<V extends Float32Array | Float64Array>(values: V, section: Section): V {
  if (!hasFrozen(section)) return values;
  const length = section.tensors.reduce((sum, { shape }) => sum + shapeSize(shape), 0);
  const whole = (values instanceof Float32Array ? new Float32Array(length) : new Float64Array(length)) as V;
  eachMoving(section, (from, to, size) => whole.set(values.subarray(to, to + size), from));
  return whole;
}

function hasFrozen({ tensors }: Section): boolean {
  return tensors.some(({ role }) => role === 'frozen');
}

/** Calls `visit` for each tensor that travels: its place in the whole vector, its place without frozen ones, its size. */
function eachMoving({ tensors }: Section, visit: (from: number, to: number, size: number) => void): void {
  let from = 0;
  let to = 0;
  for (const { shape, role } of tensors) {
    const size = shapeSize(shape);
    if (role !== 'frozen') {
      visit(from, to, size);
      to += size;
    }
    from += size;
  }
}
