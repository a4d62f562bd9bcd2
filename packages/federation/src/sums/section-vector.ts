import { CoppiceError, type Section } from '@coppice/protocol';

/** A contribution's vector of one group. @throws CoppiceError `update-shape` where it has none. */
export function vectorOf<T>(vectors: ReadonlyMap<string, T>, group: string): T {
  const vector = vectors.get(group);
  if (vector === undefined)
    throw new CoppiceError('update-shape', `The contribution has no group "${group}".`);
  return vector;
}

/** The factor of a section's vector in the sum, for a contribution of this weight. */
export function weightIn({ weighted }: Section, weight: number): number {
  return weighted === 'weight' ? weight : 1;
}
