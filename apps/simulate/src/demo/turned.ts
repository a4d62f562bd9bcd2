import type { RawExamples } from '@coppice/datasets';

/**
 * Square pictures, turned by a quarter to the right.
 *
 * @param side of a picture in pixels, one byte each.
 */
export function turned({ count, features, labels }: RawExamples, side: number): RawExamples {
  const from = features as Uint8Array;
  const pixels = new Uint8Array(from.length);
  for (let picture = 0; picture < count; picture++) {
    const start = picture * side * side;
    for (let row = 0; row < side; row++)
      for (let column = 0; column < side; column++)
        pixels[start + row * side + column] = from[start + (side - 1 - column) * side + row] as number;
  }
  return { count, features: pixels, labels };
}
