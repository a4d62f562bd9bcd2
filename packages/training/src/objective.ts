import type { Objective } from '@coppice/protocol';

/**
 * Checks an objective, and removes parts without effect: an anchor needs a pull.
 *
 * @param size numbers in the layout.
 * @returns null where gradients stay unchanged.
 * @throws RangeError for a vector of another length than the layout.
 */
export function effectiveObjective(given: Objective | null | undefined, size: number): Objective | null {
  if (given === null || given === undefined) return null;
  const { scale, pull, offset } = given;
  const anchor = pull === 0 ? null : given.anchor;
  for (const vector of [scale, anchor, offset]) {
    if (vector instanceof Float32Array && vector.length !== size) {
      throw new RangeError(`This model has ${size} weights, but an objective's vector has ${vector.length}`);
    }
  }
  return scale === 1 && pull === 0 && offset === null ? null : { scale, pull, anchor, offset };
}
